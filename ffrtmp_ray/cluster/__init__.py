"""The scheduler and its workers as Ray actors. With serve/, the only room that imports Ray."""
