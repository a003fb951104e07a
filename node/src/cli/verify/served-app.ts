/**
 * Fetches the web app that a server hands out, and compares each file and the content security policy with a release.
 * node/README.md "What runs". Throws PEER_UNREACHABLE.
 */
import { createHash } from 'node:crypto'
import { FederationError } from '@geotrace/core-wasm/wire'
import { CONTENT_SECURITY_POLICY } from '../../local/web-server.ts'
import { fanOut } from '../../platform/fan-out.ts'
import { type Difference, differences, type FileTree } from './file-tree.ts'

/** The largest file of the app has 1 MB. */
const FILE_MAX_BYTES = 16 << 20
const ANSWER_MAX_MS = 30_000
const PAGE = 'index.html'
const POLICY = 'content-security-policy'

interface Served {
  readonly hash: string
  readonly policy: string | null
}

/** How the app at `url` differs from `expected`. `progress` gets the number of files so far. */
export async function compareApp(
  expected: FileTree,
  url: URL,
  progress: (files: number) => void = () => {},
): Promise<Difference[]> {
  const seen: Record<string, string> = {}
  const policies = new Map<string, string | null>()
  const failed: unknown[] = []
  const take = async (path: string, address: string): Promise<void> => {
    const served = await fetchFile(new URL(address, url))
    if (served === undefined) return
    seen[path] = served.hash
    policies.set(path, served.policy)
    progress(Object.keys(seen).length)
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
    ...differences(page, seen).map((found) => ({ ...found, path: found.path === '' ? '/' : found.path })),
    ...policy.map((path): Difference => {
      const text = policies.get(path)
      const given = text ? { seen: createHash('sha256').update(text).digest('hex') } : {}
      return { path: `header ${POLICY} of /${path}`, how: 'changed', ...given }
    }),
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
