"""Pages: server-rendered, in the reader's language, speaking to the facade only."""
