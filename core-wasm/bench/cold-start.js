// Prints the nanoseconds from here until the bundle named on the command line has hashed.
// An app has loaded modules before: the loader's own start is neither contender's.
await import('./cold-fixes.js')
const start = process.hrtime.bigint()
const { run } = await import(process.argv[2])
const bytes = await run()
const ns = process.hrtime.bigint() - start
if (bytes < 36 * 30 * 12) throw new Error(`only ${bytes} bytes of hashes`)
process.stdout.write(String(ns))
