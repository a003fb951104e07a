/**
 * `npm run bench -- [NAME…] [--json FILE] [--rows N]`: builds and runs the named benchmarks, or all of them without a name.
 * It prints each row as a ratio that was measured in this run, and writes the rows as JSON. `--rows` is the size of the
 * largest store of `central`, and `--store postgres` measures `central` on a database server. A benchmark is a module that exports `rows({ progress })`.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root, setUp } from './setup.js'

const BENCHES = {
  core: 'core-wasm/bench/index.js',
  voprf: 'core-wasm/bench/voprf.js',
  salt: 'node/bench/salt.js',
  central: 'node/bench/central.js',
  client: 'client/bench/index.js',
  bytes: 'client/bench/days.js',
}

const { values, positionals } = parseArgs({
  options: { json: { type: 'string' }, rows: { type: 'string' }, store: { type: 'string' } },
  allowPositionals: true,
})
const unknown = positionals.filter((name) => !(name in BENCHES))
if (unknown.length > 0) {
  console.error(`no benchmark named ${unknown.join(', ')}; there are: ${Object.keys(BENCHES).join(', ')}`)
  process.exit(2)
}
const named = positionals.length > 0 ? positionals : Object.keys(BENCHES).filter((name) => existsSync(path(name)))
setUp()

const machine = `${cpus()[0]?.model.trim() ?? process.arch} × ${cpus().length}, ${process.platform} ${process.arch}`
const rows = []
for (const name of named) {
  const bench = await import(path(name))
  rows.push(...(await bench.rows({ progress, ...(values.rows && { rows: Number(values.rows) }) })))
}
progress('')
console.log(`${machine}, Node ${process.versions.node}; of interleaved rounds, the minimum (core) or the median`)
for (const row of rows) console.log(line(row))
if (values.json)
  writeFileSync(values.json, `${JSON.stringify({ machine, node: process.versions.node, rows }, null, 2)}\n`)

function path(name) {
  return join(root, name === 'central' && values.store === 'postgres' ? 'node/bench/postgres.js' : BENCHES[name])
}

/** Overwrites one line of a terminal. In a log only lines that end with an ellipsis are printed. */
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
  else if (text.endsWith('…')) process.stderr.write(`${text}\n`)
}

function line({ name, against, ratio, ours, theirs }) {
  const numbers = theirs === undefined ? `${round(ours)}` : `${round(ours)} : ${round(theirs)}`
  return `${name.padEnd(44)} ${against.padEnd(54)} ${(ratio === undefined ? '' : `${ratio.toFixed(2)}×`).padStart(9)}   ${numbers}`
}

function round(value) {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}
