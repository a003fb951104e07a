/**
 * A site of the examples and the golden page on loopback, bundled as an app's build does, under a strict policy: scripts
 * from the site alone, none inline, no `eval` but of WebAssembly. A browser visits its pages one after the other.
 */
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { type Browser, start } from './browsers.ts'

/** What a page wrote into its `<output>`, or why it did not; and what the policy refused meanwhile. */
export interface Report {
  readonly text?: string
  readonly error?: string
  readonly refused: readonly string[]
}

export interface Site {
  /** Visits the pages in order, each when the one before has reported; fails when one takes longer than `pageMs`. */
  visit(browser: Browser, program: string, pages: readonly string[], pageMs: number): Promise<Report[]>
  close(): void
}

const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'"
/** Pages below this path are served under the same policy without WebAssembly. */
const WITHOUT_WASM = '/without-wasm'
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const EXAMPLES = '../../examples'
const SCRIPTS = ['main-thread', 'worker-page', 'worker', 'by-url'].map((name) => `${EXAMPLES}/${name}.js`)
const PAGES = ['main-thread', 'worker-page', 'by-url'].map((name) => `${EXAMPLES}/${name}.html`)

export async function openSite(): Promise<Site> {
  const files = await filesOf()
  let visitor: ((report: Report) => string) | undefined
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://site')
    if (request.method === 'POST' && pathname === '/report') {
      let body = ''
      request.on('data', (part) => (body += part))
      request.on('end', () => response.end(visitor?.(JSON.parse(body))))
      return
    }
    const isWithoutWasm = pathname.startsWith(WITHOUT_WASM)
    const path = isWithoutWasm ? pathname.slice(WITHOUT_WASM.length) : pathname
    const file = files.get(path)
    response.writeHead(file ? 200 : 404, {
      'Content-Type': TYPES[extname(path)] ?? 'text/plain',
      'Content-Security-Policy': isWithoutWasm ? POLICY.replace(" 'wasm-unsafe-eval'", '') : POLICY,
    })
    response.end(file)
  })
  const origin = await listen(server)
  return {
    async visit(browser, program, pages, pageMs) {
      const reports: Report[] = []
      const running = start(browser, program, origin + pages[0])
      try {
        for (const page of pages) {
          reports.push(await reportWithin(pageMs, () => `${browser.name} did not report ${page}:\n${running.log()}`))
        }
        return reports
      } finally {
        await running.stop()
      }

      /** The next report; its page goes on to the page after it. */
      function reportWithin(ms: number, failure: () => string): Promise<Report> {
        return new Promise((resolve, reject) => {
          const timer = setTimeout(() => reject(new Error(failure())), ms)
          visitor = (report) => {
            clearTimeout(timer)
            resolve(report)
            return pages[reports.length + 1] ?? ''
          }
        })
      }
    },
    close: () => server.close(),
  }
}

/** By path: bundled scripts, pages that report, and both builds as files of their own. */
async function filesOf(): Promise<Map<string, string | Buffer>> {
  const files = new Map<string, string | Buffer>()
  const bundle = await rolldown({
    input: [...SCRIPTS, './golden.js', './golden-worker.js', './report.js'].map(here),
    platform: 'browser',
  })
  const { output } = await bundle.generate({ format: 'esm' })
  for (const part of output) if (part.type === 'chunk') files.set(`/${part.fileName}`, part.code)
  for (const page of [...PAGES, './golden.html']) {
    const text = readFileSync(here(page), 'utf8')
    const reporting = text.replace('<script', '<script type="module" src="report.js"></script>\n<script')
    files.set(page.slice(page.lastIndexOf('/')), reporting)
  }
  for (const build of ['simd', 'scalar']) {
    files.set(`/${build}.wasm`, readFileSync(here(`../../build/${build}.wasm`)))
  }
  return files
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
