from __future__ import annotations

import pytest

from ffrtmp_ray.core.accounts import Accounts
from ffrtmp_ray.core.model import OwnerPolicy, Policy, Resources

FOUR = Resources(cpus=4)


def test_an_owner_is_charged_for_what_it_has_while_it_has_it() -> None:
    account = Accounts(Policy()).of("ann")
    account.start("t", FOUR, 100.0)
    assert account.served(130.0) == pytest.approx(4 * 30)
    account.end("t", 150.0)
    assert account.served(1000.0) == pytest.approx(4 * 50)


def test_by_its_weight() -> None:
    account = Accounts(Policy(owners={"ann": OwnerPolicy(weight=2.0)})).of("ann")
    account.start("t", FOUR, 100.0)
    assert account.served(130.0) == pytest.approx(2 * 30)


def test_the_first_second_of_a_task_is_charged_at_once_and_not_twice() -> None:
    account = Accounts(Policy(least_charge=10.0)).of("ann")
    account.start("t", FOUR, 100.0)
    assert account.served(100.0) == account.served(109.0) == pytest.approx(40)
    assert account.served(111.0) == pytest.approx(44)


def test_what_was_served_never_falls() -> None:
    account = Accounts(Policy(least_charge=10.0)).of("ann")
    before = 0.0
    for n in range(20):
        account.start(f"t{n}", FOUR, n)
        if n % 3 == 2:
            account.end(f"t{n - 2}", n)
        assert account.served(n) >= before
        before = account.served(n)


def test_a_returning_owner_is_owed_nothing_for_the_time_in_which_it_asked_for_nothing() -> None:
    accounts = Accounts(Policy())
    accounts.begin("ann", 0.0)
    accounts.start("ann", "t", FOUR, 0.0)
    accounts.start("ann", "u", FOUR, 1000.0)
    accounts.of("ann").ready = 1
    assert accounts.begin("bob", 1000.0).served(1000.0) == pytest.approx(4000)


def test_one_that_waits_keeps_what_it_is_owed() -> None:
    accounts = Accounts(Policy())
    accounts.begin("bob", 0.0).ready = 1
    accounts.start("ann", "t", FOUR, 0.0)
    accounts.start("ann", "u", FOUR, 1000.0)
    assert accounts.begin("bob", 1000.0).served(1000.0) == 0.0


def test_idle_owners_are_forgotten_when_they_are_many() -> None:
    accounts = Accounts(Policy())
    for n in range(10_000):
        accounts.begin(f"owner-{n}", 0.0)
    assert len(accounts._accounts) < 5000
