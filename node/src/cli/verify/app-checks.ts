/**
 * The web apps of a federation, compared with a release from where this node is. node/README.md "What runs". Each app is
 * fetched at most once a day: the results are kept in the node's directory, and a restart does not fetch again.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DAY_MS, isFederationError } from '@geotrace/core-wasm/wire'
import * as z from 'zod/mini'
import type { AppCheck } from '../../admin/node-status.ts'
import { replaceFile } from '../../platform/atomic-file.ts'
import type { OwnRelease } from './own-release.ts'
import { compareApp } from './served-app.ts'

const FILE = 'app-checks.json'

const fileSchema = z.strictObject({
  release: z.string(),
  checks: z.array(
    z.strictObject({
      origin: z.string(),
      atMs: z.number(),
      differences: z.optional(z.number()),
      first: z.optional(z.string()),
      problem: z.optional(z.string()),
    }),
  ),
})

interface CheckInit {
  /** The directory of the node. */
  dir: string
  release: Pick<OwnRelease, 'id' | 'app'>
  /** Origins of the apps. Each serves its page at `/`. */
  apps: readonly string[]
  nowMs: number
  compare?: typeof compareApp
}

/** One result for each app, those of the last day from the file. */
export async function checkApps({ dir, release, apps, nowMs, compare = compareApp }: CheckInit): Promise<AppCheck[]> {
  const known = await readChecks(dir, release.id)
  // The clock may have stepped back.
  const isRecent = ({ atMs = 0 }: AppCheck): boolean => atMs <= nowMs && nowMs < atMs + DAY_MS
  const checks: AppCheck[] = []
  for (const origin of apps) {
    const recent = known.find((check) => check.origin === origin && isRecent(check))
    checks.push(recent ?? (await checkApp(origin, release, nowMs, compare)))
  }
  await replaceFile(join(dir, FILE), JSON.stringify({ release: release.id, checks }))
  return checks
}

async function checkApp(
  origin: string,
  { app }: CheckInit['release'],
  atMs: number,
  compare: typeof compareApp,
): Promise<AppCheck> {
  try {
    const [first, ...more] = await compare(app, new URL(`${origin}/`))
    return { origin, atMs, differences: first === undefined ? 0 : 1 + more.length, ...(first && { first: first.path }) }
  } catch (error) {
    if (!isFederationError(error)) throw error
    return { origin, atMs, problem: error.message }
  }
}

/** None when the file is missing, of another release, or no such file. */
async function readChecks(dir: string, release: string): Promise<AppCheck[]> {
  const path = join(dir, FILE)
  if (!existsSync(path)) return []
  try {
    const content = fileSchema.parse(JSON.parse(await readFile(path, 'utf8')))
    return content.release === release ? content.checks : []
  } catch {
    return []
  }
}
