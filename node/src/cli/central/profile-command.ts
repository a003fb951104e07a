/** `geotrace central profile list | show | diff | set | rollback`: versions of the risk profile. node/CENTRAL.md "Profiles". */
import { systemClock } from '@geotrace/core-wasm'
import { isFederationError, keyToPeerId } from '@geotrace/core-wasm/wire'
import type { Command } from 'commander'
import { openAuditLog } from '../../admin/audit-log.ts'
import { adminRequest } from '../../admin/client.ts'
import { OPERATOR } from '../../admin/staff/roles.ts'
import { BUILT_IN, diffSettings, type ProfileSettings, toSettings } from '../../central/profiles/settings.ts'
import { appendProfile, type ProfileVersion, readProfiles, signProfile } from '../../central/profiles/versions.ts'
import { nativeSigner } from '../../platform/native-signer.ts'
import { loadIdentity } from '../identity/identity.ts'
import { confirm } from '../terminal/confirm.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { defaultDir, examples, wholeNumber } from '../terminal/options.ts'
import { type Output, toTable } from '../terminal/output.ts'
import { readSmallFile } from '../terminal/small-file.ts'
import { minute } from '../terminal/times.ts'

/** A profile has some 400 bytes. */
const PROFILE_FILE = {
  what: 'profile',
  maxBytes: 16_384,
  next: 'begin with geotrace central profile show > profile.json',
}
const WHICH = 'number of a version, seed, dose, or a file'

interface ProfileOptions {
  dir: string
}
interface ChangeOptions extends ProfileOptions {
  yes?: boolean
}

export function profileCommand(command: Command, out: Output): void {
  command.description('show, compare, set and roll back the risk profile; a change is in force from the next start')
  const named = (name: string, description: string): Command =>
    command
      .command(name)
      .description(description)
      .option('--dir <dir>', 'directory of the central peer', defaultDir('central'))
  const list = named('list', 'list the signed versions').action((options: ProfileOptions) => listVersions(options, out))
  examples(list, 'geotrace central profile list')
  const show = named('show', 'print a profile as JSON, to be changed and set')
    .argument('[profile]', `${WHICH} (default: the newest version)`)
    .action((name: string | undefined, options: ProfileOptions) => showProfile(name, options, out))
  examples(show, 'geotrace central profile show dose > dose.json')
  const diff = named('diff', 'print the settings in which two profiles differ')
    .argument('<profile>', WHICH)
    .argument('[other]', `${WHICH} (default: the newest version)`)
    .action((a: string, b: string | undefined, options: ProfileOptions) => showDiff(a, b, options, out))
  examples(diff, 'geotrace central profile diff 1 2', 'geotrace central profile diff dose.json')
  const set = named('set', 'check, sign and keep a profile as the newest version')
    .argument('<profile>', 'file, seed or dose')
    .option('--yes', 'set it without a question')
    .action((name: string, options: ChangeOptions) => setProfile(name, options, out))
  examples(set, 'geotrace central profile set dose.json')
  const rollback = named('rollback', 'make a new version with the settings of an old one')
    .argument('<version>', 'number of the version', wholeNumber(1, 10_000))
    .option('--yes', 'roll back without a question')
    .action((version: number, options: ChangeOptions) => setProfile(`${version}`, options, out))
  examples(rollback, 'geotrace central profile rollback 1')
}

async function listVersions({ dir }: ProfileOptions, out: Output): Promise<void> {
  const versions = await versionsOf(dir)
  out.json({ versions })
  if (versions.length === 0) return out.line('No version yet: the profile seed is in force.')
  const rows = versions.map(({ version, at, settings }, i) => [
    `${version}`,
    settings.name,
    minute(at),
    diffSettings(versions[i - 1]?.settings ?? BUILT_IN.seed, settings).join('; ') || 'as before',
  ])
  for (const line of toTable([['version', 'name', 'signed', 'changes'], ...rows])) out.line(line)
}

async function showProfile(name: string | undefined, { dir }: ProfileOptions, out: Output): Promise<void> {
  const settings = await find(name, dir)
  out.json(settings)
  out.line(JSON.stringify(settings, null, 2))
}

async function showDiff(a: string, b: string | undefined, { dir }: ProfileOptions, out: Output): Promise<void> {
  const lines =
    b === undefined
      ? diffSettings(await find(b, dir), await find(a, dir))
      : diffSettings(await find(a, dir), await find(b, dir))
  out.json({ changes: lines })
  for (const line of lines.length === 0 ? ['The two profiles are equal.'] : lines) out.line(line)
}

async function setProfile(name: string, { dir, yes = false }: ChangeOptions, out: Output): Promise<void> {
  const [before, after] = [await find(undefined, dir), await find(name, dir)]
  const lines = diffSettings(before, after)
  if (lines.length === 0) invalidCommand('the profile equals the newest version', 'see geotrace central profile list')
  for (const line of lines) out.note(line)
  await confirm('Sign this profile, and compute all active reports anew at the next start?', yes, out)
  const signer = nativeSigner(loadIdentity(dir).secret)
  const version = (await versionsOf(dir)).length + 1
  const signed = signProfile(after, version, systemClock().now(), signer)
  await keep(dir, signer.key, signed)
  out.json({ version, changes: lines })
  out.line(`Version ${version}, ${after.name}, is signed by ${keyToPeerId(signer.key)}.`)
  out.note('It is in force from the next start of the central peer.')
}

/** A running peer writes its own audit log. */
async function keep(dir: string, key: Uint8Array, signed: ProfileVersion): Promise<void> {
  try {
    await adminRequest(dir, 'POST', '/profiles', signed)
  } catch (error) {
    if (!isFederationError(error, 'NODE_NOT_RUNNING')) throw error
    const log = await openAuditLog(dir, systemClock())
    await log.append('profile.set', { version: signed.version, by: OPERATOR.name, role: OPERATOR.role })
    await log.close()
    await appendProfile(dir, key, signed)
  }
}

async function versionsOf(dir: string): Promise<ProfileVersion[]> {
  return await readProfiles(dir, nativeSigner(loadIdentity(dir).secret).key)
}

/** Undefined is the newest version. */
async function find(name: string | undefined, dir: string): Promise<ProfileSettings> {
  if (name === 'seed' || name === 'dose') return BUILT_IN[name]
  if (name !== undefined && !/^\d+$/.test(name)) return readProfile(name)
  const versions = await versionsOf(dir)
  const found = name === undefined ? versions.at(-1) : versions[Number(name) - 1]
  if (found !== undefined) return found.settings
  if (name === undefined) return BUILT_IN.seed
  return invalidCommand(`there is no version ${name}`, 'see geotrace central profile list')
}

function readProfile(path: string): ProfileSettings {
  let value: unknown
  try {
    value = JSON.parse(readSmallFile(path, PROFILE_FILE).toString('utf8'))
  } catch (error) {
    if (isFederationError(error)) throw error
    invalidCommand(`${path} is no JSON`, PROFILE_FILE.next)
  }
  return toSettings(value)
}
