/** Makes the pages that the native shell shows: the built web app, the manifest of a federation, and the shell's script. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const here = dirname(dirname(fileURLToPath(import.meta.url)))
const FIRST_SCRIPT = '<script type="module"'

/** Fills `folder` with the pages of the app for a phone. Needs a built web app. */
export async function makePages(folder, manifestFile) {
  rmSync(folder, { recursive: true, force: true })
  cpSync(join(here, '..', 'app', 'dist'), folder, { recursive: true })
  cpSync(manifestFile, join(folder, 'federation.json'))
  const shell = await rolldown({ input: join(here, 'src', 'shell.ts'), platform: 'browser', logLevel: 'silent' })
  await shell.write({ file: join(folder, 'shell.js'), format: 'esm', minify: true })
  await shell.close()
  const page = join(folder, 'index.html')
  writeFileSync(
    page,
    readFileSync(page, 'utf8').replace(FIRST_SCRIPT, `${FIRST_SCRIPT} src="/shell.js"></script>\n    $&`),
  )
}
