"""The query of `GET /jobs`, from HTTP's words to the store's."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from ffrtmp_ray.core.model import JobState, Queue
from ffrtmp_ray.store.protocol import MAX_PAGE, JobQuery


class Listing(BaseModel):
    """Which jobs, newest first. A parameter that is not known is refused, never overlooked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: list[JobState] = Field(
        default_factory=list, description="Only jobs in one of these states; may be repeated."
    )
    queue: list[Queue] = Field(
        default_factory=list, description="Only jobs of one of these queues; may be repeated."
    )
    owner: str | None = Field(default=None, description="Only jobs of this owner.")
    cursor: int | None = Field(
        default=None, ge=0, description="`next_cursor` of the page before; none for the first."
    )
    limit: int = Field(default=50, ge=1, le=MAX_PAGE, description="Jobs on the page, at most.")

    @property
    def query(self) -> JobQuery:
        return JobQuery(
            states=tuple(self.state),
            queues=tuple(self.queue),
            owner=self.owner,
            before=self.cursor,
            limit=self.limit,
        )
