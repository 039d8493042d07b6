"""Operators of fields: from what controls hold to a choice, and back."""

from __future__ import annotations

from typing import Any, Final

import pytest

from callbacks.analytics import choices, conditions
from callbacks.analytics.conditions import Held
from components import ids
from components.page import filter_bar
from data.query.filters import CONTAINS, MORE_FIELDS, NOT, PICKER_FIELDS, Filters, parse

NOW: Final = 1_795_132_800_000_000
LAST: Final[Filters] = parse({}, NOW)
CONTROLS: Final = ("last_n_days", "7", None, None, None, "previous", None, None)
FIELD: Final = "model"


def holding(choice: dict[str, Any]) -> list[Held]:
    """What the controls hold once they show a choice."""
    shown = conditions.operators(choice)
    values = conditions.picked(choice, shown)
    return conditions.held(list(shown.values()), values, conditions.typed(choice))


def turned(choice: dict[str, Any], field: str, operator: str) -> dict[str, Any]:
    """The choice after the operator of a field was turned."""
    held = [
        one._replace(operator=operator) if one.field == field else one for one in holding(choice)
    ]
    return choices.from_controls(choice, ids.operator(field), CONTROLS, held, LAST)


@pytest.mark.parametrize("choice", [
    {}, {"user": ["me", "ana"], "not_model": ["a"]}, {"contains_model": ["a", "b"]},
    {"not_user": ["me"], "contains_user": ["x"]}, {"model": ["a"], "not_model": ["b"]},
    {"status": ["ok"], "hour": ["9"], "contains_client": ["code"]},
])  # fmt: skip
def test_controls_say_the_choice_that_they_show(choice: dict[str, Any]) -> None:
    assert (
        choices.from_controls(choice, ids.pick("model"), CONTROLS, holding(choice), LAST) == choice
    )


def test_what_is_chosen_goes_along_from_is_to_is_not_and_back() -> None:
    kept, out = {"model": ["a", "b"], "user": ["me"]}, {"not_model": ["a", "b"], "user": ["me"]}
    assert turned(kept, FIELD, NOT) == out
    assert turned(out, FIELD, "") == kept
    assert turned(kept, "user", NOT) == {"model": ["a", "b"], "not_user": ["me"]}
    # A text is no value, nor the other way round.
    assert turned(kept, FIELD, CONTAINS) == {"user": ["me"]}
    assert turned({"contains_model": ["a"]}, FIELD, NOT) == {}
    # Whom a text means stands beside who is chosen.
    assert turned({"user": ["b"], "contains_user": ["a"]}, "user", NOT) == {
        "not_user": ["b"], "contains_user": ["a"],
    }  # fmt: skip


def test_a_text_is_typed_and_several_have_commas_between() -> None:
    held = [
        one._replace(operator=CONTAINS, text=" sonnet,, opus , sonnet")
        if one.field == FIELD
        else one
        for one in holding({})
    ]
    choice = choices.from_controls({}, ids.contained(FIELD), CONTROLS, held, LAST)
    assert choice == {"contains_model": ["sonnet", "opus"]}
    assert conditions.typed(choice)[0] == "sonnet, opus"
    # What is being typed stays, as long as it means the same.
    assert conditions.typed(choice, held)[0] is None
    assert conditions.typed({}, held)[:2] == ["", None]
    said = [sentence for *_, sentence in filter_bar.chosen(choice, {})]
    assert said == ["model contains sonnet", "model contains opus"]


def test_an_operator_that_was_turned_a_moment_before_is_meant() -> None:
    """Its answer has not come: what is held still says the operator before."""
    before = {"not_model": ["a"], "status": ["ok"]}
    held = [
        one._replace(operator=CONTAINS, text="x") if one.field == FIELD else one
        for one in holding(before)
    ]
    made = choices.from_controls(before, ids.contained(FIELD), CONTROLS, held, LAST)
    assert made == {"contains_model": ["x"], "status": ["ok"]}
    held = [one._replace(operator="", values=["b"]) if one.field == FIELD else one for one in held]
    made = choices.from_controls(before, ids.pick(FIELD), CONTROLS, held, LAST)
    assert made == {"model": ["b"], "status": ["ok"]}


def test_an_operator_stands_until_something_else_is_chosen() -> None:
    standing = [one._replace(operator=NOT) for one in holding({})]
    assert set(conditions.operators({}, standing).values()) == {NOT}
    assert conditions.operators({"model": ["a"]}, standing)["model"] == ""
    assert set(conditions.operators({}).values()) == {""}


def test_whatever_comes_back_is_a_condition() -> None:
    many, few = len(PICKER_FIELDS), len(MORE_FIELDS)
    held = conditions.held([7, {}] * (many // 2), [None, "x"] * (many // 2), [[], 3] * (few // 2))
    assert held == [Held(field, "", [], "") for field in PICKER_FIELDS]
    # People are no text.
    assert conditions.held([CONTAINS] * many, [[]] * many, [""] * few)[0].operator == ""
