/**
 * The examples and the golden page, bundled as in the build of an app. Their policy is strict: scripts only from the site,
 * no inline script, and no `eval` except for WebAssembly.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { openSite, type Site } from './site.ts'

const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'"
/** Pages below this path are served under the same policy without WebAssembly. */
const WITHOUT_WASM = '/without-wasm'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const EXAMPLES = '../../examples'
const SCRIPTS = ['main-thread', 'worker-page', 'worker', 'by-url'].map((name) => `${EXAMPLES}/${name}.js`)
const PAGES = ['main-thread', 'worker-page', 'by-url'].map((name) => `${EXAMPLES}/${name}.html`)

export async function openCoreSite(): Promise<Site> {
  const files = await filesOf()
  return openSite({
    files: new Map([...files].flatMap(([path, file]) => [path, WITHOUT_WASM + path].map((each) => [each, file]))),
    policyOf: (path) => (path.startsWith(WITHOUT_WASM) ? POLICY.replace(" 'wasm-unsafe-eval'", '') : POLICY),
  })
}

/** The files by path: bundled scripts, pages that report, and both builds as files of their own. */
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
