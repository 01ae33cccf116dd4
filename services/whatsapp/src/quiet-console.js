/**
 * Silence the console, on import.
 *
 * libsignal prints whole session records, private keys included, with
 * console.info, log, warn and error. The sidecar itself logs through pino only,
 * so nothing that reaches the console is ours. Imported before Baileys.
 */
for (const method of /** @type {const} */ (['log', 'info', 'warn', 'error', 'debug', 'trace', 'dir', 'table'])) {
  console[method] = () => {}
}
