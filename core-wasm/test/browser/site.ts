/** A site on loopback whose pages report their results (report.js). A browser visits them one after the other. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname } from 'node:path'
import { type Browser, start } from './browsers.ts'

/** The text that a page wrote into its `<output>` or its error, and the requests that the policy refused. */
export interface Report {
  readonly text?: string
  readonly error?: string
  readonly refused: readonly string[]
}

export interface SiteInit {
  /** By path, without its query. */
  files: ReadonlyMap<string, string | Buffer>
  /** The Content-Security-Policy of a path. */
  policyOf(path: string): string
}

export interface Site {
  readonly origin: string
  /** Visits the pages in order, each after the report of the page before. Fails when a page takes more than `pageMs`. */
  visit(browser: Browser, program: string, pages: readonly string[], pageMs: number): Promise<Report[]>
  close(): void
}

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
}

export async function openSite({ files, policyOf }: SiteInit): Promise<Site> {
  let visitor: ((report: Report) => string) | undefined
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://site')
    if (request.method === 'POST' && pathname === '/report') {
      let body = ''
      request.on('data', (part) => (body += part))
      request.on('end', () => response.end(visitor?.(JSON.parse(body))))
      return
    }
    const file = files.get(pathname)
    response.writeHead(file ? 200 : 404, {
      'Content-Type': TYPES[extname(pathname)] ?? 'text/plain',
      'Content-Security-Policy': policyOf(pathname),
    })
    response.end(file)
  })
  const origin = await listen(server)
  return {
    origin,
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

      /** Waits for the next report. Its page then opens the next page. */
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

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
