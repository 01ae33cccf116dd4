import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import pg from 'pg'

/**
 * A real PostgreSQL with the project's tables, started by the Python lab.
 *
 * @typedef {Awaited<ReturnType<typeof startPostgres>>} Postgres
 */

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const BIN = existsSync(join(ROOT, '.venv/bin')) ? join(ROOT, '.venv/bin/') : ''

export async function startPostgres () {
  const child = spawn(`${BIN}python`, ['-m', 'simulators.postgres'], { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const hear = async () => JSON.parse((await lines.next()).value)
  const { url } = await hear()
  await run(url, 'CREATE DATABASE migrated')
  await promisify(execFile)(`${BIN}frontdesk`, ['migrate'], { cwd: ROOT, env: { ...process.env, DATABASE_URL: urlOf('migrated') } })
  let count = 0

  /** @param {string} name */
  function urlOf (name) {
    return url.replace(/postgres$/, name)
  }

  /** @param {'stop' | 'start'} command */
  async function tell (command) {
    child.stdin.write(`${command}\n`)
    await hear()
  }

  /**
   * A migrated database of one's own with these tenants, and a connection to look at it.
   *
   * @param {{ after: (ending: () => unknown) => void }} t
   * @param {string[]} [tenants]
   */
  async function database (t, tenants = ['1', '2']) {
    const name = `sidecars_${++count}`
    await run(url, `CREATE DATABASE ${name} TEMPLATE migrated`)
    const pool = new pg.Pool({ connectionString: urlOf(name), max: 4 })
    // The tests stop and start the server.
    pool.on('error', () => {})
    t.after(() => pool.end())
    /** @param {string} text @param {unknown[]} [values] */
    const rows = async (text, values) => (await pool.query(text, values)).rows
    await rows(`INSERT INTO tenants (id, settings, knowledge_version, created_at)
                SELECT id, '{}', 0, now() FROM unnest($1::text[]) AS id`, [tenants])
    return {
      url: urlOf(name),
      pool,
      rows,
      /** Every entry of a tenant, in a fixed order. */
      entries: (tenantId = '1') => rows(
        'SELECT table_name, key, value FROM whatsapp_entries WHERE tenant_id = $1 ORDER BY 1, 2', [tenantId]),
      number: async (tenantId = '1') =>
        (await rows('SELECT *, held_until > clock_timestamp() AS is_held FROM whatsapp_numbers WHERE tenant_id = $1', [tenantId]))[0]
    }
  }

  return {
    url,
    database,
    stop: () => tell('stop'),
    start: () => tell('start'),
    async close () {
      child.stdin.end()
      await once(child, 'exit')
    }
  }
}

/** @param {string} url @param {string} statement */
async function run (url, statement) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(statement)
  await client.end()
}
