"""The schema, as numbered steps that only ever go forward; run by `shared.store.migrate`."""
