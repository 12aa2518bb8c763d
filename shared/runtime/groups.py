"""Which group of consumers reads which topics. Named without the prefix, which only the Kafka adapter knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.runtime.topics import Topic

MAPPER: Final = "mapper"
REHEARSALS: Final = "mapper-rehearsals"
JIRA_WRITER: Final = "jira_writer"
CRAFT_WRITER: Final = "craft_writer"
RECONCILER: Final = "reconciler"

GROUPS: Final[Mapping[str, tuple[Topic, ...]]] = {
    MAPPER: (Topic.CHANGES_JIRA, Topic.CHANGES_CRAFT, Topic.OUTCOMES, Topic.REQUESTS),
    REHEARSALS: (Topic.REHEARSALS,),
    JIRA_WRITER: (Topic.WRITES_JIRA,),
    CRAFT_WRITER: (Topic.WRITES_CRAFT,),
    RECONCILER: (Topic.CHANGES_JIRA, Topic.CHANGES_CRAFT),
}
