/**
 * `geotrace verify app`: compares the web app that a server hands out with a release, each file and the content security
 * policy. node/README.md "What runs". A server can show other files to other addresses, so ask from several places.
 * Exit code 1 when something differs. Throws COMMAND_INVALID, PEER_UNREACHABLE.
 */
import { createHash } from 'node:crypto'
import { FederationError } from '@geotrace/core-wasm/wire'
import type { Command } from 'commander'
import { CONTENT_SECURITY_POLICY } from '../../local/web-server.ts'
import { fanOut } from '../../platform/fan-out.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { examples } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { type Difference, differences, type FileTree } from './file-tree.ts'
import { APP_TREE, readRelease, releaseToId } from './release.ts'
import { report } from './report.ts'

/** The largest file of the app has 1 MB. */
const FILE_MAX_BYTES = 16 << 20
const ANSWER_MAX_MS = 30_000
const PAGE = 'index.html'
const POLICY = 'content-security-policy'

interface Served {
  readonly hash: string
  readonly policy: string | null
}

export function appCommand(command: Command, out: Output): void {
  command
    .description('compare the web app that a server hands out with a release')
    .argument('<release>', 'release.json')
    .argument('<url>', 'address of the app, such as https://app.example.org/', toUrl)
    .action(async (file: string, url: URL) => {
      const release = readRelease(file)
      report(await compareApp(release.trees[APP_TREE], url, out), releaseToId(release), out)
      out.note('A server can show other files to another place. Run this from several networks.')
    })
  examples(command, 'geotrace verify app release.json https://app.example.org/')
}

async function compareApp(expected: FileTree, url: URL, out: Output): Promise<Difference[]> {
  const seen: Record<string, string> = {}
  const policies = new Map<string, string | null>()
  const failed: unknown[] = []
  const take = async (path: string, address: string): Promise<void> => {
    const served = await fetchFile(new URL(address, url))
    if (served === undefined) return
    seen[path] = served.hash
    policies.set(path, served.policy)
    out.progress(`${Object.keys(seen).length} of ${Object.keys(expected).length} files …`)
  }
  const paths = Object.keys(expected).map((path) => [path, path] as const)
  // Browsers open the folder, so a server may hand out another page there than under its name.
  await fanOut([...paths, ['', ''] as const], ([path, address]) =>
    take(path, address).catch((error: unknown) => void failed.push(error)),
  )
  if (failed.length > 0) throw failed[0]
  const page: FileTree = { ...expected, '': expected[PAGE]! }
  const policy = ['', PAGE].filter((path) => policies.has(path) && policies.get(path) !== CONTENT_SECURITY_POLICY)
  return [
    ...differences(page, seen).map(({ path, how }) => ({ path: path === '' ? '/' : path, how })),
    ...policy.map((path): Difference => ({ path: `header ${POLICY} of /${path}`, how: 'changed' })),
  ]
}

/** Undefined when the server has no such file. Throws PEER_UNREACHABLE. */
async function fetchFile(url: URL): Promise<Served | undefined> {
  try {
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(ANSWER_MAX_MS) })
    if (!response.ok) {
      await response.body?.cancel()
      return undefined
    }
    const hash = createHash('sha256')
    let size = 0
    for await (const part of response.body ?? []) {
      size += part.length
      if (size > FILE_MAX_BYTES) throw new Error(`a file has more than ${FILE_MAX_BYTES} bytes`)
      hash.update(part)
    }
    return { hash: hash.digest('hex'), policy: response.headers.get(POLICY) }
  } catch (cause) {
    const message = `no whole answer from ${url.origin}: check the address and the network`
    throw new FederationError('PEER_UNREACHABLE', message, { tried: 1 }, { cause })
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
