"""The draws of the row-level mode: one stream of random numbers for each row in each run, and what is drawn from it.

**Why one Poisson draw a row is enough.** Growth makes a row appear ``N ~ Poisson(g)`` times, where ``g`` is the
product of its growth factors. Avoidance then keeps each appearance independently with probability ``r = (1 - a1)(1 -
a2)...``: a binomial draw from ``N``. A Poisson count thinned binomially is again Poisson, with mean ``g r`` (the
marking theorem of Poisson processes), whatever the number of effects, so ``Poisson(g r)`` is drawn at once: exactly
the same distribution, one draw in place of two or more. Shifts and shortening act on the appearances drawn, because
they change where an appearance is counted and how long it stays, and these are kept apart for each draw.

**Why days are thinned in one draw.** If each day of a stay is saved independently with probability ``s``, the days
saved by ``m`` appearances of a stay of ``L`` days are the sum of ``m`` independent ``Binomial(L, s)``, which is
``Binomial(m L, s)``.

**Streams.** The state of row ``i`` in run ``r`` is a 64-bit hash of (seed, table, i, r): the finaliser of splitmix64
(Steele, Lea and Flood, 2014, "Fast splittable pseudorandom number generators", with the constants of variant 13)
applied to the row's key and the run's key. Nothing is carried from row to row, so the numbers do not depend on how
the rows are cut into chunks, nor on how many workers share the runs. Each purpose (appearing, each shift by its
effect's name, staying one day, days) has its own word of that state, so an added effect moves no draw of another
purpose.

**Inversion.** Every draw is the inverse of its distribution function at a uniform number, which does not depend on the
model. A row's count can only fall when avoidance grows, and only rise when growth does; a row whose factors are the
same in two scenarios is drawn the same in both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]
    Codes = npt.NDArray[np.int32]
    Words = npt.NDArray[np.uint64]
    Flags = npt.NDArray[np.bool_]

F = TypeVar("F", bound=Callable[..., object])


def _compiled(function: F) -> F:
    """Compile to machine code that frees the interpreter's lock, and keep it on disk where that is allowed."""
    try:
        return cast(F, numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:  # no folder to keep it in: compile for this process alone
        return cast(F, numba.njit(nogil=True)(function))


AVOID, SHIFT, SAME_DAY, DAYS = 1, 2, 4, 8
"""What an effect does to a row; one bit each, so that lists of effects can hold several kinds."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_WORD_SAME_DAY = np.uint64(0xD1B54A32D192ED03)
_WORD_DAYS = np.uint64(0x8CB92BA72F3D8DD7)
_TO_UNIT = 1.0 / 9007199254740992.0  # 2 ** -53
_POISSON_BLOCK = 64.0  # exp(-64) is far above the smallest double
_BINOMIAL_BLOCK = 256  # 0.5 ** 256 likewise
_INVERSE = 1.0 / np.maximum(np.arange(_BINOMIAL_BLOCK + 1), 1)  # a product is quicker than a quotient


@_compiled
def mix(word: np.uint64) -> np.uint64:
    """A 64-bit word scrambled so that each bit of the answer depends on every bit given (splitmix64's finaliser)."""
    word = (word ^ (word >> np.uint64(30))) * _MIX_1
    word = (word ^ (word >> np.uint64(27))) * _MIX_2
    return word ^ (word >> np.uint64(31))


@_compiled
def keys(base: np.uint64, first: int, count: int) -> Words:
    """The keys of items ``first`` to ``first + count - 1`` (rows of a table, or runs) under one base key."""
    out = np.empty(count, np.uint64)
    for item in range(count):
        out[item] = mix(base + np.uint64(first + item + 1) * _GOLDEN)
    return out


@_compiled
def unit_interval(word: np.uint64) -> float:
    """A word as a number in [0, 1): its top 53 bits."""
    return float(word >> np.uint64(11)) * _TO_UNIT


@_compiled
def _poisson_small(mean: float, uniform: float) -> int:
    chance = math.exp(-mean)
    count = 0
    while uniform >= chance:
        uniform -= chance
        count += 1
        chance *= mean / count
        if chance < 1e-20 and count > mean:  # past what 53 bits can tell apart
            break
    return count


@_compiled
def poisson(mean: float, state: np.uint64) -> int:
    """A Poisson draw of that mean (0 or more) by inversion; large means are sums of blocks, each with a word of its
    own."""
    total = 0
    block = np.uint64(0)
    word = state
    while mean > _POISSON_BLOCK:
        total += _poisson_small(_POISSON_BLOCK, unit_interval(word))
        mean -= _POISSON_BLOCK
        block += np.uint64(1)
        word = mix(state + block * _GOLDEN)
    return total + _poisson_small(mean, unit_interval(word))


@_compiled
def _binomial_small(trials: int | np.int64, chance: float, uniform: float) -> int:
    # Search from no success upwards; chance is at most a half.
    miss = 1.0 - chance
    here = miss**trials
    if uniform < here:
        return 0
    odds = chance / miss
    count = 0
    while uniform >= here and count < trials:
        uniform -= here
        here *= odds * (trials - count) * _INVERSE[count + 1]
        count += 1
    return count


@_compiled
def binomial(trials: int | np.int64, chance: float, word: np.uint64) -> int | np.int64:
    """A binomial draw by inversion; many trials are sums of blocks, each with a word of its own."""
    if trials <= 0 or chance <= 0.0:
        return 0
    if chance >= 1.0:
        return trials
    total = np.int64(0)
    block = np.uint64(0)
    while trials > 0:
        size = min(trials, _BINOMIAL_BLOCK)
        uniform = unit_interval(mix(word + block * _GOLDEN))
        if chance <= 0.5:
            total += _binomial_small(size, chance, uniform)
        else:  # count the failures at the mirrored uniform: the same inverse, searched from the near end
            total += size - _binomial_small(size, 1.0 - chance, (1.0 - _TO_UNIT) - uniform)
        trials -= size
        block += np.uint64(1)
    return total


@_compiled
def find_profiles(point: Codes, lines: Codes, bits: Words) -> tuple[Codes, Codes]:
    """Rows that share a point of delivery, growth lines and effects share a profile: every row's profile, and a row
    of each.

    ``point`` [row], ``lines`` [row, growth], ``bits`` [row, word of effects] -> profile [row], first row [profile].
    """
    rows, growths = lines.shape
    words = bits.shape[1]
    size = 16
    while size < 2 * rows:
        size *= 2
    table = np.full(size, -1, np.int32)
    profile = np.empty(rows, np.int32)
    first = np.empty(rows, np.int32)
    found = 0
    for row in range(rows):
        key = mix(np.uint64(point[row]) + _GOLDEN)
        for growth in range(growths):
            key = mix(key ^ np.uint64(lines[row, growth] + 1)) + _GOLDEN
        for word in range(words):
            key = mix(key ^ bits[row, word]) + _GOLDEN
        slot = np.int64(mix(key) & np.uint64(size - 1))
        while True:
            here = table[slot]
            if here < 0:
                table[slot] = found
                first[found] = row
                profile[row] = found
                found += 1
                break
            other = first[here]
            same = point[other] == point[row]
            if same:
                for growth in range(growths):
                    if lines[other, growth] != lines[row, growth]:
                        same = False
                        break
            if same:
                for word in range(words):
                    if bits[other, word] != bits[row, word]:
                        same = False
                        break
            if same:
                profile[row] = here
                break
            slot = (slot + 1) & (size - 1)
    return profile, first[:found].copy()


@_compiled
def list_effects(bits: Words, kind: Codes, wanted: int) -> tuple[Codes, Codes]:
    """The effects of the wanted kinds in each profile, as one list: those of profile p are ``items[start[p]:start[p +
    1]]``."""
    profiles = bits.shape[0]
    start = np.zeros(profiles + 1, np.int32)
    total = 0
    for profile in range(profiles):
        for effect in range(kind.size):
            if kind[effect] & wanted and (bits[profile, effect >> 6] >> np.uint64(effect & 63)) & np.uint64(1):
                total += 1
        start[profile + 1] = total
    items = np.empty(total, np.int32)
    at = 0
    for profile in range(profiles):
        for effect in range(kind.size):
            if kind[effect] & wanted and (bits[profile, effect >> 6] >> np.uint64(effect & 63)) & np.uint64(1):
                items[at] = effect
                at += 1
    return start, items


@_compiled
def set_bits(bits: Words, effect: int, applies: Flags) -> None:
    """Mark the rows an effect applies to, in place."""
    word = effect >> 6
    bit = np.uint64(1) << np.uint64(effect & 63)
    for row in range(applies.size):
        if applies[row]:
            bits[row, word] |= bit


@_compiled
def set_line(column: Codes, line: int, applies: Flags) -> tuple[int, int]:
    """Give the rows a growth line chooses that line, in place; how many there are, and the first that had one already
    (or -1)."""
    count = 0
    clash = -1
    for row in range(applies.size):
        if applies[row]:
            count += 1
            if column[row] >= 0 and clash < 0:
                clash = row
            column[row] = line
    return count, clash


@_compiled
def tally(
    profiles: int, cuts: Codes, profile: Codes, cell: Codes, stay: Codes, count: Codes,
    activity: Integers, bed_days: Integers,
) -> tuple[Integers, Integers]:  # fmt: skip
    """Count the rows as they are: into their cells (in place), and by profile with their days cut at ``cuts``.

    Returns activity [profile] and bed days [profile, segment of the stay].
    """
    segments = cuts.size + 1
    rows_of = np.zeros(profiles, np.int64)
    days_of = np.zeros((profiles, segments), np.int64)
    for row in range(profile.size):
        here = profile[row]
        times = np.int64(count[row])
        length = np.int64(stay[row])
        activity[cell[row]] += times
        bed_days[cell[row]] += times * length
        rows_of[here] += times
        done = np.int64(0)
        for segment in range(segments):
            upto = length if segment == segments - 1 else min(length, np.int64(cuts[segment]))
            if upto > done:
                days_of[here, segment] += times * (upto - done)
                done = upto
    return rows_of, days_of


@_compiled
def draw_rows(
    run_from: int, run_to: int, run_key: Words, growth_factor: Floats, size: Floats,
    profile_point: Codes, lines: Codes,
    avoid_start: Codes, avoid_items: Codes, shift_start: Codes, shift_items: Codes,
    same_day_start: Codes, same_day_items: Codes, days_start: Codes, days_items: Codes,
    first_days: Codes, cuts: Codes, effect_word: Words, outlet_of: Codes, compact: Codes,
    row_key: Words, profile: Codes, base: Codes, cell: Codes, stay: Codes, count: Codes,
    activity: Integers, bed_days: Integers,
) -> None:  # fmt: skip
    """Draw every row of a chunk in runs ``run_from`` to ``run_to - 1`` and add what is drawn to its cells, in place.

    Shapes: ``growth_factor`` [run, line]; ``size`` [run, effect]; ``profile_point`` [profile]; ``lines`` [profile,
        growth] (-1: none applies); effects of each profile as lists with starts; ``first_days`` [effect] (0: the
        whole stay); ``cuts`` [segment - 1]; ``effect_word`` [effect]; ``outlet_of`` [effect, point]; ``compact``
        [dense cell] -> cell; the row arrays [row], ``base`` being the dense cell of the row's band, sex and site at
        outlet 0; ``activity`` and ``bed_days`` [run, cell].
    """
    profiles, growths = lines.shape
    segments = cuts.size + 1
    mean = np.empty(profiles)
    upto = np.empty((profiles, 4))
    last = np.empty(profiles)
    same_day = np.empty(profiles)
    saved = np.empty((profiles, segments))
    split = np.empty((profiles, segments), np.bool_)
    shortened = np.empty(profiles, np.bool_)
    share = np.empty(shift_items.size)
    for run in range(run_from, run_to):
        for here in range(profiles):
            value = 1.0
            for growth in range(growths):
                line = lines[here, growth]
                if line >= 0:
                    value *= growth_factor[run, line]
            for item in range(avoid_start[here], avoid_start[here + 1]):
                value *= 1.0 - size[run, avoid_items[item]]
            mean[here] = value
            chance = math.exp(-value)
            total = chance
            upto[here, 0] = total
            for times in range(1, 4):
                chance *= value / times
                total += chance
                upto[here, times] = total
            last[here] = chance
            # Several shifts share what they move together in proportion to the logarithm of what each leaves.
            remainder = 1.0
            logs = 0.0
            certain = 0
            for item in range(shift_start[here], shift_start[here + 1]):
                moved = size[run, shift_items[item]]
                remainder *= 1.0 - moved
                if moved >= 1.0:
                    certain += 1
                else:
                    logs += math.log1p(-moved)
            left = 1.0
            for item in range(shift_start[here], shift_start[here + 1]):
                moved = size[run, shift_items[item]]
                if certain > 0:
                    part = 1.0 / certain if moved >= 1.0 else 0.0
                elif logs < 0.0:
                    part = (1.0 - remainder) * math.log1p(-moved) / logs
                else:
                    part = 0.0
                share[item] = min(1.0, part / left) if left > 0.0 else 0.0
                left -= part
            value = 1.0
            for item in range(same_day_start[here], same_day_start[here + 1]):
                value *= 1.0 - size[run, same_day_items[item]]
            same_day[here] = 1.0 - value
            shortened[here] = value < 1.0
            for segment in range(segments):
                value = 1.0
                # A stay is cut only where one of its own effects ends, so that others' effects move none of its draws.
                split[here, segment] = segment == segments - 1
                for item in range(days_start[here], days_start[here + 1]):
                    effect = days_items[item]
                    if segment < segments - 1 and first_days[effect] == cuts[segment]:
                        split[here, segment] = True
                    if first_days[effect] == 0 or (segment < segments - 1 and first_days[effect] >= cuts[segment]):
                        value *= 1.0 - size[run, effect]
                saved[here, segment] = 1.0 - value
                if value < 1.0:
                    shortened[here] = True
        run_activity = activity[run]
        run_bed_days = bed_days[run]
        for row in range(row_key.size):
            state = mix(row_key[row] ^ run_key[run])
            here = profile[row]
            if count[row] == 1 and mean[here] <= _POISSON_BLOCK:
                uniform = unit_interval(state)
                drawn = (
                    np.int64(uniform >= upto[here, 0])
                    + np.int64(uniform >= upto[here, 1])
                    + np.int64(uniform >= upto[here, 2])
                    + np.int64(uniform >= upto[here, 3])
                )
                if drawn == 4:
                    uniform -= upto[here, 3]
                    chance = last[here] * mean[here] / 4.0
                    while uniform >= chance:
                        uniform -= chance
                        drawn += 1
                        chance *= mean[here] / drawn
                        if chance < 1e-20 and drawn > mean[here]:
                            break
            else:
                drawn = np.int64(poisson(mean[here] * count[row], state))
            if shift_start[here] < shift_start[here + 1] and drawn > 0:
                stays = drawn
                for item in range(shift_start[here], shift_start[here + 1]):
                    effect = shift_items[item]
                    moved_rows = binomial(stays, share[item], state + effect_word[effect])
                    if moved_rows > 0:
                        stays -= moved_rows
                        run_activity[compact[base[row] + outlet_of[effect, profile_point[here]]]] += moved_rows
                drawn = stays
            run_activity[cell[row]] += drawn
            length = np.int64(stay[row])
            if length > 0:
                if shortened[here] and drawn > 0:
                    overnight = drawn - binomial(drawn, same_day[here], state + _WORD_SAME_DAY)
                    days = np.int64(0)
                    done = np.int64(0)
                    for segment in range(segments):
                        if not split[here, segment]:
                            continue
                        end, cut = length, np.uint64(0)
                        if segment < segments - 1:
                            end, cut = min(length, np.int64(cuts[segment])), np.uint64(cuts[segment])
                        if end > done:
                            nights = overnight * (end - done)
                            days += nights - binomial(nights, saved[here, segment], mix(state + _WORD_DAYS + cut))
                            done = end
                    run_bed_days[cell[row]] += days
                else:
                    run_bed_days[cell[row]] += drawn * length


@_compiled
def _spread(
    change: float, logs: float, zeros: int, factor_logs: Floats, causes: Codes, count: int, out: Floats
) -> None:
    # Share a change over causes in proportion to the logarithms of their factors; a factor of nothing takes it all.
    if zeros > 0:
        for item in range(count):
            if factor_logs[item] == -np.inf:
                out[causes[item]] += change / zeros
    elif logs != 0.0:
        rate = change / logs
        for item in range(count):
            out[causes[item]] += rate * factor_logs[item]


@_compiled
def explain_change(
    run_from: int, run_to: int, log_growth: Floats, log_left: Floats, cause_of_line: Codes, growths: int,
    profile_point: Codes, lines: Codes,
    avoid_start: Codes, avoid_items: Codes, shift_start: Codes, shift_items: Codes, lasting_start: Codes,
        lasting_items: Codes,
    first_days: Codes, cuts: Codes, outlet_of: Codes, per_unit: Floats, pod_of_outlet: Codes,
    rows_of: Floats, days_of: Floats, activity: Floats, bed_days: Floats,
) -> None:  # fmt: skip
    """Expected change by cause in each run, by log-mean Divisia shares, added in place to ``activity`` and
    ``bed_days``.

    A profile of ``w`` rows whose factors multiply to ``exp(s)`` changes by ``w (exp(s) - 1)``; the cause whose factor
    is ``exp(f)`` is given ``f / s`` of it (Ang, 2004, "Decomposition analysis for policymaking in energy": exact, and
    the order of the causes does not matter). Activity goes in two steps so that a shift takes from one point of
    delivery just what it gives the other: growth and avoidance first, then what is moved. ``lasting`` lists shifts
    and shortening, for bed days. Arrays ``activity`` and ``bed_days`` are [run, pod, cause], causes being the growths
    and then the effects.
    """
    profiles = lines.shape[0]
    segments = cuts.size + 1
    most = lines.shape[1] + first_days.size
    factor_logs = np.empty(most)
    causes = np.empty(most, np.int32)
    for run in range(run_from, run_to):
        for here in range(profiles):
            pod = pod_of_outlet[profile_point[here]]
            out = activity[run, pod]
            logs = 0.0
            zeros = 0
            count = 0
            for growth in range(lines.shape[1]):
                line = lines[here, growth]
                if line >= 0:
                    factor_logs[count] = log_growth[run, line]
                    causes[count] = cause_of_line[line]
                    count += 1
            for item in range(avoid_start[here], avoid_start[here + 1]):
                factor_logs[count] = log_left[run, avoid_items[item]]
                causes[count] = growths + avoid_items[item]
                count += 1
            for item in range(count):
                if factor_logs[item] == -np.inf:
                    zeros += 1
                else:
                    logs += factor_logs[item]
            change = -1.0 if zeros > 0 else math.expm1(logs)
            _spread(rows_of[here] * change, logs, zeros, factor_logs, causes, count, out)
            if shift_start[here] < shift_start[here + 1] and zeros == 0:
                moved_logs = 0.0
                certain = 0
                for item in range(shift_start[here], shift_start[here + 1]):
                    if log_left[run, shift_items[item]] == -np.inf:
                        certain += 1
                    else:
                        moved_logs += log_left[run, shift_items[item]]
                moved = rows_of[here] * (1.0 + change) * (1.0 if certain > 0 else -math.expm1(moved_logs))
                for item in range(shift_start[here], shift_start[here + 1]):
                    effect = shift_items[item]
                    if certain > 0:
                        part = moved / certain if log_left[run, effect] == -np.inf else 0.0
                    else:
                        part = moved * log_left[run, effect] / moved_logs if moved_logs != 0.0 else 0.0
                    outlet = outlet_of[effect, profile_point[here]]
                    out[growths + effect] -= part
                    activity[run, pod_of_outlet[outlet], growths + effect] += part * per_unit[outlet]
            for segment in range(segments):
                if days_of[here, segment] == 0.0:
                    continue
                day_logs = logs
                day_zeros = zeros
                day_count = count
                for item in range(lasting_start[here], lasting_start[here + 1]):
                    effect = lasting_items[item]
                    reach = first_days[effect]
                    if reach == 0 or (segment < segments - 1 and reach >= cuts[segment]):
                        factor_logs[day_count] = log_left[run, effect]
                        causes[day_count] = growths + effect
                        if factor_logs[day_count] == -np.inf:
                            day_zeros += 1
                        else:
                            day_logs += factor_logs[day_count]
                        day_count += 1
                change_in_days = days_of[here, segment] * (-1.0 if day_zeros > 0 else math.expm1(day_logs))
                _spread(change_in_days, day_logs, day_zeros, factor_logs, causes, day_count, bed_days[run, pod])
