"""`make k8s-check` without a cluster: it says what it needs. With one, it is its own proof."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.k8s.checks import cluster


def test_without_a_cluster_it_says_what_it_needs_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    assert cluster.main() == 2
    assert "set KUBECONFIG" in capsys.readouterr().err


def test_a_cluster_that_does_not_answer_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "gone.conf"
    monkeypatch.setenv("KUBECONFIG", str(path))
    assert cluster.main() == 2
    assert f"the cluster of KUBECONFIG={path} does not answer" in capsys.readouterr().err
