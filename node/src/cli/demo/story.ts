/** The printed story of the demo: the federation, what the residents deposit, the report, and who is at risk. */
import type { Manifest } from '@geotrace/core-wasm/wire'
import { adminRequest } from '../../admin/client.ts'
import type { WebServer } from '../../local/web-server.ts'
import { federationName } from '../identity/federation-name.ts'
import { type Output, toTable } from '../terminal/output.ts'
import type { PeerProcess } from './peer-process.ts'
import type { FederationProcesses } from './processes.ts'
import type { Town } from './town.ts'
import { startDemoWeb } from './web.ts'
import { residentLines } from './words.ts'

const REPORTER = 'ada'
const LOOK_AGAIN_MS = 250
/** For a computer and a phone, or for two browsers that meet. */
const VISITOR_CODES = 2

export function introduce(
  { manifest, peers }: { manifest: Manifest; peers: readonly PeerProcess[] },
  out: Output,
): void {
  const { shards, replicas, threshold } = manifest.parameters
  out.line(
    `Federation ${federationName(manifest)}: ${shards} shards, each on ${replicas} salt nodes, ${threshold} of which evaluate a place. Roster 0 is certified.`,
  )
  const addresses = new Map(
    [...manifest.members, manifest.central].map((member) => [member.operator, member.addresses]),
  )
  const rows = peers.map(({ name, role, pid }) => ['  ', role, name, `pid ${pid}`, ...(addresses.get(name) ?? [])])
  for (const line of toTable(rows)) out.line(line)
}

export async function tellStory(federation: FederationProcesses, town: Town, out: Output): Promise<void> {
  out.line()
  out.line('The residents sync the last 2 h 45 min, one fix every five minutes, with real salts:')
  for (const { name, story, result } of await town.syncAll((name) => out.progress(`${name} syncs …`))) {
    out.line(
      `   ${name.padEnd(5)} ${story.padEnd(36)} ${result.fixesHashed} fixes → ${result.rowsDeposited} risk hashes, ${result.saltsAsked} salts`,
    )
  }
  out.line()
  out.line('The authority prints an enrolment code for each resident, and their devices fetch tokens for the day.')
  out.line('A token opens the quota of one device, whatever address it shares with others:')
  for (const { name, code, tokens } of await town.enrolAll(await issueEnrolments(federation, town.size)))
    out.line(`   ${name.padEnd(5)} ${code}  ${tokens} tokens`)
  const code = await issueCode(federation)
  await town.report(REPORTER, code)
  out.line()
  out.line(`The authority issues report code ${code}, and ${REPORTER} reports. At their next sync the others learn:`)
  while (await isComputing(federation)) await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
  for (const looked of await town.look(REPORTER)) {
    out.line()
    for (const line of residentLines(looked)) out.line(line)
  }
}

/** Serves the web app on `port`, or on any free port when that one is taken; undefined when the app is not built. */
export async function serveWeb(
  federation: FederationProcesses,
  visitor: object,
  port: number,
  out: Output,
): Promise<WebServer | undefined> {
  const web = await startDemoWeb({ manifest: federation.manifest, visitor, port })
  if (web === undefined) return undefined
  out.line()
  out.line(`The web app, for you:  ${web.url}`)
  out.line(
    '   It shows what a phone shows its owner: map, diary, exposures and deposits, and a lab that explains them.',
  )
  const enrolments = await issueEnrolments(federation, VISITOR_CODES)
  for (const code of enrolments) out.line(`   an enrolment code:     ${code}  or ${web.url}#/settings?enrol=${code}`)
  out.line(`   a report code to try:  ${await issueCode(federation)}`)
  return web
}

/** The central peer computes the marks of a report in the background, a few seconds after it. */
async function isComputing({ central }: FederationProcesses): Promise<boolean> {
  const { riskWaiting } = (await adminRequest(central.dir, 'GET', '/status')) as { riskWaiting: number }
  return riskWaiting > 0
}

async function issueEnrolments({ central }: FederationProcesses, count: number): Promise<readonly string[]> {
  const { codes } = (await adminRequest(central.dir, 'POST', '/enrolment/codes', { count })) as { codes: string[] }
  return codes
}

async function issueCode({ central }: FederationProcesses): Promise<string> {
  const body = { count: 1, days: 1 }
  const { codes } = (await adminRequest(central.dir, 'POST', '/codes', body)) as { codes: [string] }
  return codes[0]
}
