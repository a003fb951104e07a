/**
 * The files of the console, a web page that `npm run build` makes in node/console/dist. node/CENTRAL.md "The console". They are
 * read once and hold no data. The content security policy allows them and requests to this server, and nothing else.
 */
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { pageHeaders } from './page/headers.ts'

/** Files of the console, with room for parts that load later. */
const FILES_MAX = 40

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

interface ConsoleFile {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}
/** `/assets/index.js` → file; `/` is index.html. */
export type ConsoleFiles = ReadonlyMap<string, ConsoleFile>

/** Undefined when the console was not built. */
export async function readConsole(folder: string): Promise<ConsoleFiles | undefined> {
  const names = await readdir(folder, { recursive: true }).catch(() => [])
  const files = new Map<string, ConsoleFile>()
  for (const name of names.slice(0, FILES_MAX)) {
    const type = TYPES[extname(name)]
    if (type === undefined) continue
    const path = name === 'index.html' ? '/' : `/${name.replaceAll('\\', '/')}`
    files.set(path, { headers: pageHeaders(type, POLICY), body: await readFile(join(folder, name), 'utf8') })
  }
  return files.has('/') ? files : undefined
}
