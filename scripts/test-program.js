/**
 * Runs TypeScript test programs in processes of their own. Each program becomes one file first, which plain Node runs.
 * A process then starts in 0.3 s of CPU. It needs 2 s where it transforms its modules, and some tests start hundreds.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
/** A folder in the repository, outside git, so that Node resolves the packages that are not bundled. */
const BUILD = join(root, 'build', 'programs')

/** Bundles a program, named by its path from the root. Resolves with the path of the file. @param {string} program */
export async function bundleProgram(program) {
  const { rolldown } = await import('rolldown')
  const made = await rolldown({
    input: join(root, program),
    platform: 'node',
    // LevelDB looks for its native module beside its own files. So do the tools of the programs.
    external: ['level', 'rolldown', 'pg'],
    resolve: { conditionNames: ['source', 'node', 'import', 'module', 'default'] },
    logLevel: 'silent',
  })
  const { output } = await made.generate({ format: 'esm', codeSplitting: false })
  await made.close()
  mkdirSync(BUILD, { recursive: true })
  const file = join(BUILD, `${program.replace(/\W+/g, '-')}.js`)
  // Another test may bundle the same program now, or run it.
  writeFileSync(`${file}.${process.pid}`, output[0].code)
  renameSync(`${file}.${process.pid}`, file)
  return file
}

/** Starts a bundled program. @param {string} file @param {readonly string[]} args */
export function startProgram(file, args) {
  return spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
}
