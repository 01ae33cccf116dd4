/**
 * libsignal prints whole sessions, private keys included, to the console. Loaded before it, this
 * module drops what goes there; the simulator itself writes to its streams.
 */
for (const level of /** @type {const} */ (['log', 'info', 'warn', 'error', 'debug'])) console[level] = () => {}
