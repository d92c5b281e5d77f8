"""The plan of a dataset and the bookkeeping of a run."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.core import clips
from addon.core.clips import Clip, Failure, Job, Schedule
from addon.core.errors import UserError

CHARACTERS = ["Ann.fbx", "Bob.glb", "Cy.vrm"]
MOTIONS = {"walk": 3, "run": 5, "sit": 1}
SPLITS = {"splits": {"train": ["Ann", "Cy"], "val": ["Bob"]}}


def jobs(*names: str) -> list[Job]:
    """Of ten views each."""
    return [
        clips.render_job(Clip(name, "Ann.fbx", name, poses=2, split="train"), 5) for name in names
    ]


def crash(schedule: Schedule, job: Job) -> None:
    schedule.advance(job, 5)
    schedule.crash(job, "It crashes Blender.")


# ---- the plan ----------------------------------------------------------------------------------


def test_every_motion_on_every_character_one_character_after_the_other() -> None:
    found = clips.plan(CHARACTERS, MOTIONS, SPLITS, cameras=8)
    assert [(c.character, c.motion) for c in found] == [
        (character, motion) for character in CHARACTERS for motion in ("run", "sit", "walk")
    ]
    assert all(c.poses == MOTIONS[c.motion] for c in found)
    assert {c.character for c in found if c.split == "val"} == {"Bob.glb"}
    assert len({c.name for c in found}) == 9


def test_the_plan_does_not_depend_on_the_order_of_files() -> None:
    forwards = clips.plan(CHARACTERS, MOTIONS, SPLITS, cameras=8, limit=40)
    backwards = dict(reversed(MOTIONS.items()))
    assert clips.plan(CHARACTERS[::-1], backwards, SPLITS, cameras=8, limit=40) == forwards


@given(limit=st.integers(1, 400), cameras=st.integers(1, 9), seed=st.integers(0, 99))
def test_a_limit_is_reached_and_passed_by_less_than_a_pose(
    limit: int, cameras: int, seed: int
) -> None:
    everything = clips.plan(CHARACTERS, MOTIONS, SPLITS, cameras=cameras)
    some = clips.plan(CHARACTERS, MOTIONS, SPLITS, cameras=cameras, limit=limit, seed=seed)
    views = sum(c.poses for c in some) * cameras
    whole = sum(c.poses for c in everything) * cameras
    assert min(limit, whole) <= views < limit + cameras
    poses = {c.name: c.poses for c in everything}
    assert all(0 < c.poses <= poses[c.name] for c in some)
    assert sum(c.poses < poses[c.name] for c in some) <= 1


def test_a_small_limit_still_shows_several_characters() -> None:
    motions = {f"m{i}": 2 for i in range(30)}
    some = clips.plan(CHARACTERS, motions, SPLITS, cameras=8, limit=160)
    assert {c.character for c in some} == set(CHARACTERS)


@given(count=st.integers(1, 12))
def test_shards_part_the_clips(count: int) -> None:
    everything = clips.plan(CHARACTERS, MOTIONS, SPLITS, cameras=8)
    parts = [clips.shard(everything, i, count) for i in range(count)]
    assert Counter(c for part in parts for c in part) == Counter(everything)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


# ---- the bookkeeping ---------------------------------------------------------------------------


def test_jobs_are_given_out_once_and_in_order() -> None:
    schedule = Schedule(jobs("a", "b"))
    first, second = schedule.next(), schedule.next()
    assert first and second and schedule.next() is None
    assert (first.name, second.name) == ("a", "b")
    schedule.advance(first, 5)
    assert (schedule.done, schedule.total, schedule.over) == (5, 20, False)
    schedule.finish(first)
    schedule.finish(second)
    assert (schedule.done, schedule.total, schedule.over) == (20, 20, True)
    assert not schedule.failures


def test_a_crash_is_tried_again_with_a_fresh_worker_and_its_views_count_once() -> None:
    schedule = Schedule(jobs("a", "b"))
    job = schedule.next()
    assert job and not schedule.needs_fresh_worker(job)
    crash(schedule, job)
    assert schedule.done == 0
    again = schedule.next()
    assert again is job and schedule.needs_fresh_worker(job)
    schedule.advance(job, 5)
    schedule.finish(job)
    assert (schedule.done, schedule.failures) == (10, [])


def test_a_second_crash_fails_the_clip_alone() -> None:
    schedule = Schedule(jobs("a", "b"))
    for _ in range(2):
        job = schedule.next()
        assert job and job.name == "a"
        crash(schedule, job)
    assert schedule.failures == [Failure("clip", "a", "It crashes Blender.", True)]
    other = schedule.next()
    assert other and other.name == "b" and not schedule.needs_fresh_worker(other)
    assert schedule.total == 10


def test_what_cannot_be_used_is_skipped_at_once() -> None:
    schedule = Schedule(jobs("a"))
    job = schedule.next()
    assert job
    schedule.skip(job, "It has no arms.")
    assert schedule.over and schedule.total == 0
    assert schedule.failures == [Failure("clip", "a", "It has no arms.", False)]


def test_a_worker_that_never_began_is_no_crash() -> None:
    schedule = Schedule(jobs("a"))
    for _ in range(5):
        job = schedule.next()
        assert job and not schedule.needs_fresh_worker(job)
        schedule.give_back(job)
    assert not schedule.failures and not schedule.over


@given(st.lists(st.sampled_from(["finish", "skip", "crash", "lost"]), max_size=60))
def test_every_job_ends_once_whatever_happens(events: list[str]) -> None:
    names = [f"clip{i}" for i in range(8)]
    schedule = Schedule(jobs(*names))
    finished: list[str] = []
    for event in [*events, *["finish"] * 8]:
        job = schedule.next()
        if job is None:
            break
        if event == "finish":
            schedule.finish(job)
            finished.append(job.name)
        elif event == "skip":
            schedule.skip(job, "No.")
        elif event == "lost":
            schedule.give_back(job)
        else:
            crash(schedule, job)
    assert schedule.over
    failed = [failure.name for failure in schedule.failures]
    assert sorted(finished + failed) == names
    assert schedule.done == schedule.total == 10 * len(finished)


# ---- failed.json -------------------------------------------------------------------------------

BAD = Failure("clip", "b", "It crashes Blender.", True)
CUT = Failure("animation", "z.fbx", "It is cut.", False)


def entries(folder: Path) -> list[dict[str, object]]:
    return json.loads((folder / "failed.json").read_text())


def test_failures_are_sorted_and_gone_when_there_are_none(tmp_path: Path) -> None:
    clips.write_failures(tmp_path, [BAD, Failure("clip", "a", "No.", False), CUT])
    assert entries(tmp_path) == [
        {"file": "z.fbx", "kind": "animation", "reason": "It is cut.", "crashed": False},
        {"clip": "a", "reason": "No.", "crashed": False},
        {"clip": "b", "reason": "It crashes Blender.", "crashed": True},
    ]
    clips.write_failures(tmp_path, [BAD])
    assert [entry["clip"] for entry in entries(tmp_path)] == ["b"]
    assert clips.read_failures(tmp_path) == [BAD]
    clips.write_failures(tmp_path, [])
    assert not (tmp_path / "failed.json").exists() and not clips.read_failures(tmp_path)


def test_a_character_and_an_animation_of_one_name_are_two_files(tmp_path: Path) -> None:
    twins = [Failure(kind, "Ann.fbx", "No.", False) for kind in ("animation", "character")]
    clips.write_failures(tmp_path, twins[::-1])
    assert clips.read_failures(tmp_path) == twins


def test_what_shards_have_noted_is_gathered_once(tmp_path: Path) -> None:
    clips.write_failures(tmp_path, [BAD, CUT], (0, 2))
    clips.write_failures(tmp_path, [CUT], (1, 2))
    assert not (tmp_path / "failed.json").exists()
    assert clips.noted_failures(tmp_path, 2) == [CUT, BAD]
    clips.gather_failures(tmp_path, 2)
    assert clips.read_failures(tmp_path) == [CUT, BAD]
    clips.write_failures(tmp_path, [], (0, 2))  # the next run of one of them goes well
    clips.gather_failures(tmp_path, 2)
    assert clips.read_failures(tmp_path) == [CUT]


def test_the_lists_of_other_numbers_of_shards_go(tmp_path: Path) -> None:
    clips.write_failures(tmp_path, [BAD], (2, 3))
    clips.write_failures(tmp_path, [CUT])
    clips.gather_failures(tmp_path, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["failed.json"]
    assert clips.read_failures(tmp_path) == [CUT]


def test_shards_that_end_at_the_same_time_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second notes and gathers all it has while the first is about to write its own."""
    write, late = clips.write_whole, []

    def interrupted(path: Path, data: bytes) -> None:
        if not late:
            late.append(path)
            clips.write_failures(tmp_path, [CUT], (1, 2))
            clips.gather_failures(tmp_path, 2)
        write(path, data)

    clips.write_failures(tmp_path, [BAD], (0, 2))
    monkeypatch.setattr(clips, "write_whole", interrupted)
    clips.gather_failures(tmp_path, 2)
    assert [path.name for path in late] == ["failed.json"]
    assert clips.read_failures(tmp_path) == [CUT, BAD]


@pytest.mark.parametrize("text", ["[{", '[{"name": "a"}]', "7"])
def test_a_damaged_list_is_told_and_written_anew(tmp_path: Path, text: str) -> None:
    for name in ("failed.json", "failed.0-2.json"):
        (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match="failed.json is damaged"):
        clips.read_failures(tmp_path)
    clips.write_failures(tmp_path, [BAD], (1, 2))
    clips.gather_failures(tmp_path, 2)
    assert clips.read_failures(tmp_path) == [BAD]
