"""Work that outlives a request: delivery of effects, imports, exports, timers and nightly chores."""
