/** The codes of the wire against the table of PROTOCOL.md §2.1, which allots each code once. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as wire from '../../src/wire/index.ts'
import { CORPUS } from './corpus.ts'

const page = readFileSync(new URL('../../PROTOCOL.md', import.meta.url), 'utf8')
const section = page.slice(page.indexOf('### 2.1'), page.indexOf('## 3.'))
const table = section
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
const numbered = table.filter(([, number]) => /^\d+$/.test(number!))
const isReserved = (cell: string) => cell.startsWith('*')

/** A reader throws this for a status that it does not know. */
const UNKNOWN = 'PEER_UNREACHABLE'

/** number → code of one column; `reserved` ones apart. */
function column(index: number, reserved = false): Record<number, string> {
  const cells = numbered.map((row) => [row[1], row[index]!] as const)
  return Object.fromEntries(cells.filter(([, cell]) => cell !== '' && isReserved(cell) === reserved))
}
/** The names of one line that are in use. */
function names(line: string): string[] {
  const cell = table.find((row) => row[1] === line)![2]!
  return cell
    .split(', ')
    .filter((item) => !isReserved(item))
    .map((item) => item.replaceAll('`', ''))
}

/** A wrong or missing key does not compile. */
const CHANGES: Record<wire.ChangeKind, true> = {
  join: true,
  leave: true,
  move: true,
  rotate: true,
  expel: true,
  amend: true,
  lied: true,
  seal: true,
}
const EVIDENCE: Record<wire.Evidence['kind'], true> = {
  answer: true,
  votes: true,
  proposals: true,
  sheets: true,
  pins: true,
  evaluation: true,
  seeds: true,
  'spread-keys': true,
  spreads: true,
}
type Amendment = Extract<wire.Change, { kind: 'amend' }>
const AMENDED: Record<Exclude<keyof Amendment, 'kind' | 'at' | 'until'>, true> = {
  core: true,
  shards: true,
  replicas: true,
  evaluations: true,
  apps: true,
  spread: true,
  release: true,
  tokens: true,
}

/** The error of a refusal with this status. */
function statusToCode(status: number): string | undefined {
  try {
    wire.throwRefusal(wire.byteReader(wire.encodeRefusal({ status, number: 1 })))
    return undefined
  } catch (error) {
    return wire.isFederationError(error) ? error.code : String(error)
  }
}

describe('the allotted codes', () => {
  it('no number of the table stands twice, and no code has two numbers', () => {
    expect(new Set(numbered.map(([, number]) => number)).size).toBe(numbered.length)
    for (const index of [2, 3, 4, 5, 6]) {
      const codes = [...Object.values(column(index)), ...Object.values(column(index, true))]
      expect(new Set(codes).size).toBe(codes.length)
      expect(codes.length).toBeGreaterThan(3)
    }
  })

  it('every status has the number of the table, for the peer that sends it and for the one that reads it', () => {
    const refusals = Object.entries(column(2)).filter(([number]) => number !== '0' && number !== '255')
    for (const [number, code] of refusals) {
      const error = new wire.FederationError(code as wire.ErrorCode, 'test', {} as never)
      expect(wire.errorToRefusal(error).status).toBe(Number(number))
    }
    const statuses = Array.from({ length: 255 }, (_, i) => i + 1)
    const known = statuses.map((status) => [status, statusToCode(status)]).filter(([, code]) => code !== UNKNOWN)
    expect(Object.fromEntries(known)).toEqual(Object.fromEntries(refusals))
  })

  it('every kind of gossip has the number of the table', () => {
    const used = CORPUS.decodeGossip!.map((frame) => [
      frame[1],
      wire.decodeGossip(frame).kind.toUpperCase().replace('-', '_'),
    ])
    expect(Object.fromEntries(used)).toEqual(column(3))
  })

  it('kinds of a sync, report statuses and reasons of refusals have the numbers of the table', () => {
    expect({ ...wire.SYNC_KINDS }).toEqual(column(4))
    expect({ ...wire.REPORT_STATUSES }).toEqual(column(5))
    expect({ ...wire.REFUSED_REASONS }).toEqual(column(6))
  })

  it('changes, evidence and amendments have the names of the table', () => {
    expect(names('changes')).toEqual(Object.keys(CHANGES))
    expect(names('evidence')).toEqual(Object.keys(EVIDENCE))
    expect(names('keys of `amend`')).toEqual(Object.keys(AMENDED))
  })
})
