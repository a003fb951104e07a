/**
 * `npm run dev`: the web app with reload at each saved file (Vite), on a demo federation. The script uses the demo that
 * runs on this machine, or starts one as `npm start` does. Arguments go to the demo. Ctrl-C ends everything that the script
 * has started. Vite runs in this process, so that no process outlives it. Vite's page has no content security policy,
 * because reload needs inline scripts; `npm start` serves the built app with its policy.
 */
import { createServer as createHttpServer } from 'node:http'
import { createServer as createNetServer } from 'node:net'
import { join } from 'node:path'
import { createServer as createVite } from 'vite'
import { endWithNpm } from './end-with-npm.js'
import { root, setUp } from './setup.js'

const HOST = '127.0.0.1'
/** Vite's usual port. Any free port is used when this one is taken. */
const DEV_PORT = 5173
/** The documents that the demo's web server adds to the files of the app. */
const DOCUMENTS = ['/federation.json', '/demo-track.geojson']
const POLL_MS = 500

endWithNpm()
setUp()
const { adminRequest } = await import('../node/dist/admin/client.js')
const { runningDemoDirectories } = await import('../node/dist/cli/demo/directory.js')

const running = await runningDemo()
if (running === undefined) await startBoth()
else {
  console.log(`Using the running demo at ${running}`)
  const close = await serveApp(running)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, close)
}

async function startBoth() {
  const { run } = await import('../node/dist/cli/main.js')
  const port = await freePort()
  let close = async () => {}
  const app = untilServing(`http://${HOST}:${port}/`).then(async (url) => {
    close = await serveApp(url)
  })
  app.catch((error) => {
    console.error(error)
    process.kill(process.pid, 'SIGTERM')
  })
  // Resolves when the demo has ended, for example after Ctrl-C.
  await run(['demo', '--web-port', String(port), ...process.argv.slice(2)])
  await close()
}

/** The URL of the web app of the demo that runs on this machine; undefined when no demo runs. */
async function runningDemo() {
  const [dir] = runningDemoDirectories()
  return dir === undefined ? undefined : (await adminRequest(dir, 'GET', '/web').catch(() => undefined))?.url
}

/** Serves the sources of the app with the documents of the demo at `url`. Resolves with the function that ends that. */
async function serveApp(url) {
  const server = createHttpServer()
  const app = join(root, 'client', 'app')
  const vite = await createVite({
    configFile: join(app, 'vite.config.ts'),
    clearScreen: false,
    server: {
      middlewareMode: { server },
      hmr: { server },
      proxy: Object.fromEntries(DOCUMENTS.map((path) => [path, url])),
    },
  })
  server.on('request', vite.middlewares)
  const port = await listen(server, DEV_PORT).catch(() => listen(server, 0))
  console.log(`The web app with reload:  http://${HOST}:${port}/`)
  return async () => {
    await vite.close()
    server.close()
    server.closeAllConnections()
  }
}

/** Resolves with the port. */
function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, HOST, () => {
      server.off('error', reject)
      resolve(server.address().port)
    })
  })
}

async function freePort() {
  const server = createNetServer()
  const port = await listen(server, 0)
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function untilServing(url) {
  for (;;) {
    const answer = await fetch(`${url}federation.json`).catch(() => undefined)
    if (answer?.ok) return url
    await new Promise((resolve) => setTimeout(resolve, POLL_MS).unref())
  }
}
