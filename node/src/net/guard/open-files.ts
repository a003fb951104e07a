/** How many files, sockets included, this process may open. Node raises this limit as far as the system allows. */
export function openFilesMax(): number {
  openFiles ??= read()
  return openFiles
}

let openFiles: number | undefined

/** Reads the limit from the process report, its only source in Node. Windows has no such limit. */
function read(): number {
  if (process.platform === 'win32' || process.report === undefined) return Number.POSITIVE_INFINITY
  // Without this flag the report looks up a name for each socket.
  Object.assign(process.report, { excludeNetwork: true })
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft: number | 'unlimited' } } }
  const soft = userLimits?.open_files?.soft
  return typeof soft === 'number' ? soft : Number.POSITIVE_INFINITY
}
