"""The pace is that of the looks taken, scaled by pixels where a size is new."""

import pytest

from ui.pace import NEWEST, Pace


def test_it_learns_and_scales():
    pace = Pace()
    assert pace.seconds("dogs", 4096) is None
    pace.note("dogs", 4096, 0.1)
    assert pace.seconds("dogs", 4096) == 0.1
    assert pace.seconds("dogs", 16384) == pytest.approx(0.4)
    assert pace.seconds("photos", 4096) is None
    pace.note("dogs", 16384, 0.8)
    assert pace.seconds("dogs", 16384) == 0.8
    assert pace.seconds("dogs", 65536) == pytest.approx(3.2)  # from the nearest size
    pace.note("dogs", 4096, 0.2)
    assert pace.seconds("dogs", 4096) == pytest.approx(0.1 + NEWEST * 0.1)
