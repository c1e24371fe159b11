"""NHS numbers are known however they are written, and other numbers are not taken for one."""

from __future__ import annotations

import pytest

from bettercare.vocabulary.nhs_number import holds_nhs_number, is_nhs_number, without_nhs_numbers

WRITTEN = [
    "9434765919", "943 476 5919", "943-476-5919", "943\u00a0476\u00a05919", "943\u2013476\u20135919", "９４３４７６５９１９", "٩٤٣٤٧٦٥٩١٩",
    "94347\u200b65919", "9.4.3.4.7.6.5.9.1.9", "943/476/5919", "0000000000",
]  # fmt: skip


@pytest.mark.parametrize("text", WRITTEN)
def test_a_number_however_it_is_written(text: str) -> None:
    assert is_nhs_number(text)
    for around in ("{}", "x {} y", "patient-{}", "P{}", "({})", "see {}, bed 4"):
        assert holds_nhs_number(around.format(text)), around
        assert "5919" not in without_nhs_numbers(around.format(text))


@pytest.mark.parametrize(
    "text",
    ["9434765918", "943476591", "94347659190", "P9434765918", "a9434765919b07c", "2016-11-02", "2016-11-02 13:05", "", "²", "1" * 400],
)  # fmt: skip
def test_other_numbers_are_not_taken_for_one(text: str) -> None:
    assert not holds_nhs_number(text)
    assert without_nhs_numbers(text) == text


def test_one_in_eleven_numbers_has_the_right_check_digit_and_none_has_ten() -> None:
    # Numbers whose first nine digits run on: each has one right tenth digit, or none where it would be ten.
    right = [
        sum(is_nhs_number(f"{first:09d}{last}") for last in range(10)) for first in range(100_000_000, 100_002_200)
    ]
    assert set(right) == {0, 1}
    assert right.count(0) == pytest.approx(200, abs=3)
