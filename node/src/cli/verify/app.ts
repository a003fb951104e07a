/**
 * `geotrace verify app`: compares the web app that a server hands out with a release. node/README.md "What runs".
 * A server can show other files to other addresses, so the results of several places can be compared.
 * Exit code 1 when something differs. Throws COMMAND_INVALID, PEER_UNREACHABLE.
 */
import type { Command } from 'commander'
import * as z from 'zod/mini'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { examples, readManifest } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { readSmallFile } from '../terminal/small-file.ts'
import { askAgreed } from './agreed.ts'
import type { Difference } from './file-tree.ts'
import { APP_TREE, readRelease, releaseToId } from './release.ts'
import { report } from './report.ts'
import { compareApp } from './served-app.ts'

/** An app has about 300 files, and a difference has 200 bytes. */
const RESULT_MAX_BYTES = 1 << 20
const RESULTS_MAX = 16

interface AppOptions {
  federation?: string
  compare?: string[]
}

/** The result that `verify app --json` printed at another place. */
const resultSchema = z.object({
  release: z.string(),
  differences: z.array(
    z.object({ path: z.string(), how: z.enum(['changed', 'missing', 'added']), seen: z.optional(z.string()) }),
  ),
})
type Result = z.infer<typeof resultSchema>

export function appCommand(command: Command, out: Output): void {
  command
    .description('compare the web app that a server hands out with a release')
    .argument('<release>', 'release.json')
    .argument('<url>', 'address of the app, such as https://app.example.org/', toUrl)
    .option('--federation <file>', 'ask whether the operators of this federation agreed on the release')
    .option('--compare <file...>', 'results of `verify app --json` from other places: name what differs between places')
    .action(async (file: string, url: URL, { federation, compare = [] }: AppOptions) => {
      const release = readRelease(file)
      const others = readResults(compare, releaseToId(release))
      const agreed = federation === undefined ? undefined : await askAgreed(readManifest(federation), out)
      const files = release.trees[APP_TREE]
      const seen = await compareApp(files, url, (count) =>
        out.progress(`${count} of ${Object.keys(files).length} files …`),
      )
      const places = others.map(([name, other]) => ({ place: name, differences: betweenPlaces(seen, other) }))
      report(
        seen,
        { release: releaseToId(release), ...(agreed && { agreed }), ...(places.length > 0 && { places }) },
        out,
      )
      if (places.length === 0)
        out.note('A server can show other files to another place. Run this with --json elsewhere, and --compare here.')
    })
  examples(
    command,
    'geotrace verify app release.json https://app.example.org/',
    'geotrace verify app release.json https://app.example.org/ --compare from-lyon.json from-oslo.json',
  )
}

/** The paths of which two places got different files. */
function betweenPlaces(here: readonly Difference[], there: readonly Difference[]): string[] {
  const toKey = ({ path, how, seen = '' }: Difference): string => `${path}\0${how}\0${seen}`
  const [ours, theirs] = [new Set(here.map(toKey)), new Set(there.map(toKey))]
  const apart = [...here.filter((item) => !theirs.has(toKey(item))), ...there.filter((item) => !ours.has(toKey(item)))]
  return [...new Set(apart.map(({ path }) => path))]
}

/** Throws COMMAND_INVALID. */
function readResults(files: readonly string[], release: string): [name: string, differences: readonly Difference[]][] {
  if (files.length > RESULTS_MAX)
    return invalidCommand(`expected at most ${RESULTS_MAX} results, got ${files.length}`, 'compare fewer')
  const next = 'make one with `geotrace verify app --json RELEASE URL > FILE` at another place'
  return files.map((file) => {
    const text = readSmallFile(file, { what: 'result', maxBytes: RESULT_MAX_BYTES, next }).toString('utf8')
    const result = toResult(text) ?? invalidCommand(`expected a result of \`verify app --json\` in ${file}`, next)
    if (result.release !== release)
      return invalidCommand(`${file} is about release ${result.release.slice(0, 16)}`, 'compare with one release')
    return [file, result.differences]
  })
}

function toResult(text: string): Result | undefined {
  try {
    return resultSchema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

function toUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '')
    return invalidCommand(
      `expected an address such as https://app.example.org/, got ${text}`,
      'name the page of the app',
    )
  return new URL(url.pathname.endsWith('/') ? url : `${url}/`)
}
