"""Fair share: what each owner has had of the farm, so that whoever had least is next.

Start-time fair queueing (Goyal, Vin, Cheng 1996) with the cost of a task charged while it runs,
since nobody knows it before. Pure; times come in.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ffrtmp_ray.core.model import OwnerPolicy, Policy, Resources, Shares, TaskId

GPU_COST = 4.0
"""CPUs that an encoder of a GPU counts as: a GPU runs a few, and is rented for what some dozen
CPUs are."""
SLOT_COST = 0.25
"""CPUs that a task in a slot counts as: about what planning and sound take of one."""


def cost_of(resources: Resources) -> float:
    """CPU-seconds that a second of `resources` counts as."""
    return max(resources.cpus + GPU_COST * resources.gpu_sessions, SLOT_COST)


@dataclass(slots=True, eq=False)
class Account:
    """One owner's.

    Its virtual time is the CPU-seconds that it has had, divided by its weight. It never falls,
    so that a queue may keep an old one as a lower bound.
    """

    owner: str
    policy: OwnerPolicy
    _least_charge: float
    """Seconds that each task is charged for when it is placed."""
    ready: int = 0
    """Tasks that may start now."""
    promised: int = 0
    """Of these, such as have been promised room."""
    _tasks: dict[TaskId, float] = field(default_factory=dict)
    """Those on workers, with what a second of each costs."""
    _prepaid: dict[TaskId, float] = field(default_factory=dict)
    """Of these, such as are still within what was charged first, until when; oldest first."""
    _served: float = 0.0
    _rate: float = 0.0
    """CPU-seconds a second, divided by the weight, of the tasks that are charged now."""
    _since: float = 0.0

    @property
    def full(self) -> bool:
        """Whether it has as many tasks on workers, or about to be, as it may."""
        left = self.left
        return left is not None and left <= 0

    @property
    def left(self) -> int | None:
        """How many tasks it may have on workers beside those that it has; None: any number."""
        most = self.policy.max_running
        return None if most is None else most - len(self._tasks) - self.promised

    @property
    def idle(self) -> bool:
        return not self.ready and not self._tasks

    def served(self, now: float) -> float:
        """Its virtual time."""
        if now <= self._since:
            return self._served
        while self._prepaid:
            task_id, until = next(iter(self._prepaid.items()))
            if until > now:
                break
            del self._prepaid[task_id]
            self._charge(until)
            self._rate += self._tasks[task_id] / self.policy.weight
        self._charge(now)
        return self._served

    def _charge(self, until: float) -> None:
        if until > self._since:
            self._served += self._rate * (until - self._since)
            self._since = until

    def catch_up(self, virtual_time: float) -> None:
        """What it did not ask for while it was idle is not owed to it."""
        self._served = max(self._served, virtual_time)

    def start(self, task_id: TaskId, resources: Resources, now: float) -> float:
        """Returns the virtual time at which the task was placed."""
        placed_at = self.served(now)
        cost = cost_of(resources)
        self._tasks[task_id] = cost
        self._served += cost * self._least_charge / self.policy.weight
        self._prepaid[task_id] = now + self._least_charge
        return placed_at

    def end(self, task_id: TaskId, now: float) -> None:
        self.served(now)
        cost = self._tasks.pop(task_id)
        if self._prepaid.pop(task_id, None) is None:
            self._rate -= cost / self.policy.weight
        if not self._tasks:
            self._rate = 0.0  # without what adding and subtracting has left


class Accounts:
    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._accounts: dict[str, Account] = {}
        self._virtual_time = 0.0
        """The latest at which a task was placed."""
        self._room_for = _MOST_IDLE

    def of(self, owner: str) -> Account:
        account = self._accounts.get(owner)
        if account is None:
            self._forget_idle()
            policy = self._policy.owners.get(owner, self._policy.other_owners)
            account = Account(owner, policy, self._policy.least_charge)
            self._accounts[owner] = account
        return account

    def begin(self, owner: str, now: float) -> Account:
        """The account of an owner that gets a ready task."""
        account = self.of(owner)
        if account.idle:
            account.served(now)
            account.catch_up(self._virtual_time)
        return account

    def start(self, owner: str, task_id: TaskId, resources: Resources, now: float) -> None:
        placed_at = self.of(owner).start(task_id, resources, now)
        if placed_at > self._virtual_time:
            self._virtual_time = placed_at

    def shares(self, now: float) -> Shares:
        """What a later life must know, so that it counts on: all but owners that would begin at
        the present virtual time anyway."""
        served = {each.owner: each.served(now) for each in self._accounts.values()}
        kept = {
            owner: had
            for owner, had in served.items()
            if had > self._virtual_time or not self._accounts[owner].idle
        }
        return Shares(self._virtual_time, kept)

    def take_in(self, shares: Shares) -> None:
        """Before there is any task: owners have had what they had in the last life."""
        for owner, served in shares.served.items():
            self.of(owner).catch_up(served)

    def go_on(self, shares: Shares) -> None:
        """Once all tasks of the last life are there: owners that were not known begin now."""
        for each in self._accounts.values():
            if each.owner not in shares.served:
                each.catch_up(shares.virtual_time)
        self._virtual_time = shares.virtual_time

    def _forget_idle(self) -> None:
        """What an idle owner has had beyond others is forgotten, once there are many such."""
        if len(self._accounts) < self._room_for:
            return
        self._accounts = {each.owner: each for each in self._accounts.values() if not each.idle}
        self._room_for = 2 * len(self._accounts) + _MOST_IDLE


_MOST_IDLE = 2_000
"""Idle owners that are remembered, at most."""
