/**
 * Run by store.js in a process of its own: read every entry of a store. Exit
 * code 0 means that it is whole.
 */
import { openTables } from './store.js'

const { env, ...tables } = openTables(process.argv[2] ?? '')
for (const table of Object.values(tables)) {
  if (typeof table === 'object') table.getRange().forEach(() => {})
}
await env.close()
