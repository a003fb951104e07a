/** How many files, sockets among them, this process may have open; Node itself raises that as far as the system lets it. */
export function openFilesMax(): number {
  openFiles ??= read()
  return openFiles
}

let openFiles: number | undefined

/** The only place where Node tells; Windows has no such limit. */
function read(): number {
  if (process.platform === 'win32' || process.report === undefined) return Number.POSITIVE_INFINITY
  // Otherwise it would look up a name for each socket.
  Object.assign(process.report, { excludeNetwork: true })
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft: number | 'unlimited' } } }
  const soft = userLimits?.open_files?.soft
  return typeof soft === 'number' ? soft : Number.POSITIVE_INFINITY
}
