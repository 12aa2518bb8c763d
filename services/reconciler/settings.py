"""The reconciler's settings: how often each duty runs. The defaults suit a deployment; tests and the demo use
seconds.
"""

from __future__ import annotations

from pydantic import Field

from shared.clients.settings import VendorSettings


class ReconcilerSettings(VendorSettings):
    """Intervals in seconds. Each is the pause between two rounds of one duty for one connection."""

    config_interval_s: float = Field(default=2.0, gt=0)
    """How often connections and integrations are loaded anew; a change is in effect within 5 s (P8)."""
    clock_interval_s: float = Field(default=1.0, gt=0)
    """How often open operations, links that are due and parked events are looked for."""
    unclaimed_after_s: float = Field(default=5.0, gt=0)
    """For how long an operation may be open before its command is produced again."""
    again_after_s: float = Field(default=5.0, gt=0)
    """The shortest time between two commands (or requests) for the same thing."""
    waiting_for_s: float = Field(default=60.0, gt=0)
    """For how long a link that waits for its parent is left alone."""
    batch: int = Field(default=2000, ge=1)
    """Most operations, links or sides that one round takes from the store."""
    census_interval_s: float = Field(default=5.0, gt=0)
    """How often the figures of the whole are counted for `/metrics`; less often where counting takes long."""
    census_lease_s: float = Field(default=6.0, ge=1.0)
    """After how long another reconciler takes over when the one that counts is dead."""

    fresh_interval_s: float = Field(default=0.5, gt=0)
    """How often dirty sides are looked for."""
    fresh_again_s: float = Field(default=10.0, gt=0)
    """After how long a side that is still dirty is read again."""
    gone_again_s: float = Field(default=600.0, gt=0)
    """After how long a side that was confirmed to be deleted, and is still dirty, is looked for again."""

    absent_interval_s: float = Field(default=60.0, gt=0)
    """How often some of the items are looked for that are hidden or archived."""
    absent_again_s: float = Field(default=600.0, gt=0)
    """After how long the same one is looked for again."""

    feed_interval_s: float = Field(default=5.0, gt=0)
    """How often the change feed of Craft.io is read."""
    feed_overlap_s: float = Field(default=60.0, gt=0)
    """How far each reading of the feed goes back behind the last one.

    Must be longer than Craft.io's lists lag behind its writes (PROTOCOL F22).
    """
    first_window_s: float = Field(default=3_600.0, ge=0)
    """How far back the first poll of a new integration looks, on both sides; what is older comes by an import."""
    feed_memory: int = Field(default=50_000, ge=100)
    """How many published states each feed remembers."""

    sweep_interval_s: float = Field(default=300.0, gt=0)
    """How often Jira is searched for changes whose webhook never came."""
    sweep_overlap_s: float = Field(default=600.0, gt=0)
    """How far each sweep goes back behind the last one. Must be longer than Jira's search index lags."""

    hearing_interval_s: float = Field(default=60.0, gt=0)
    """How often it is asked whether webhooks came for what the sweep found changed."""
    webhook_grace_s: float = Field(default=180.0, gt=0)
    """How long after a change its webhook may come before webhooks are called silent. The gateway tells of what came
    within a minute and `TANDEM_WEBHOOK_REPORT_INTERVAL_S`.
    """

    compare_at_start: bool = False
    """Compare all linked items once after the start, besides the nightly round."""
    compare_interval_s: float = Field(default=86_400.0, gt=0)
    """How often all linked items are read and compared."""
    id_sweep_interval_s: float = Field(default=3_600.0, gt=0)
    """How often the ids of all items are listed, to find what was deleted."""
    count_interval_s: float = Field(default=30.0, gt=0)
    """How often the items of a workspace are counted; when there are fewer, the id sweep does not wait for its hour."""
    id_sweep_soonest_s: float = Field(default=300.0, ge=0)
    """The shortest time between two id sweeps, however often something is deleted: they read whole lists."""
    prune_interval_s: float = Field(default=3_600.0, gt=0)
    """How often the ledgers of all links are rid of operations older than PROTOCOL keeps them."""
    prune_links: int = Field(default=200, ge=1)
    """Of how many links one transaction prunes the ledgers."""
    people_interval_s: float = Field(default=3_600.0, gt=0)
    """How often people who are known on one side only are looked up by their e-mail address."""
    health_interval_s: float = Field(default=30.0, gt=0)
    """How often each connection is probed."""
    longest_backoff_s: float = Field(default=60.0, gt=0)
    """The longest pause of a duty after failures in a row (never shorter than its own interval)."""
    round_limit_s: float = Field(default=3_600.0, gt=0)
    """A round that takes longer is broken off and starts anew."""
    reads_at_once: int = Field(default=4, ge=1)
    """How many items of one connection a full compare or an id sweep reads at once."""
    dry_run_interval_s: float = Field(default=1.0, gt=0)
    """How often it is looked whether a dry run has items to be read."""
    dry_run_reads_at_once: int = Field(default=2, ge=1)
    """How many items of one dry run are read at once: few, so that what is real goes first."""
    dry_run_batch: int = Field(default=50, ge=1)
    """Most items of one dry run that are read in one round, and that wait for their answer."""
    dry_run_again_s: float = Field(default=30.0, gt=0)
    """After how long an item that got no answer is read again."""
    dry_run_max_items: int = Field(default=10_000, ge=1)
    """Most items of one dry run."""
    hydrations: int = Field(default=64, ge=1)
    """Most thin events of one connection that wait for their read at once; more are left to the feed and the sweep."""
