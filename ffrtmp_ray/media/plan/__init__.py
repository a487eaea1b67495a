"""From what a user asks for to the tasks that make it. Pure: sources come in as values."""

from ffrtmp_ray.media.plan.admit import check_spec, first_task
from ffrtmp_ray.media.plan.make import Plan, make_plan

__all__ = ["Plan", "check_spec", "first_task", "make_plan"]
