"""Telling the processes of a server from others, with /proc and without."""

import os
import subprocess
from pathlib import Path

import pytest

from sophiie.database import processes


@pytest.fixture(params=["proc", "ps"])
def look(request, monkeypatch):
    if request.param == "ps":
        if not Path("/bin/ps").exists():
            pytest.skip("no ps here")
        monkeypatch.setattr(processes, "_PROC", Path("/nowhere"))
    elif not Path("/proc/self").exists():
        pytest.skip("no /proc here")


@pytest.mark.usefixtures("look")
def test_only_the_marked_server_counts(place):
    found = place.cluster.stat()
    marker = f"sophiie-{found.st_dev:x}-{found.st_ino:x}"
    other = f"{marker}0"
    with place.postgres():
        postmaster = place.postmaster()
        reader = subprocess.Popen(["sh", "-c", "sleep 60; :", marker])
        everything = processes.find(marker=marker, uid=found.st_uid)
        assert postmaster in everything
        assert len(everything) > 3  # its children as well
        assert reader.pid not in everything
        assert processes.belongs(postmaster, marker=marker, uid=found.st_uid)
        assert not processes.belongs(postmaster, marker=other, uid=found.st_uid)
        assert not processes.belongs(postmaster, marker=marker, uid=found.st_uid + 1)
        assert not processes.belongs(os.getpid(), marker=marker, uid=os.geteuid())
        assert not processes.find(marker=other, uid=found.st_uid)
        reader.kill()
        reader.wait()
    assert not processes.find(marker=marker, uid=found.st_uid)
