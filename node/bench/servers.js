/** Starts a contender (salt-server.js) in a process of its own, so that its CPU and memory are measured alone. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const SERVER = fileURLToPath(new URL('salt-server.js', import.meta.url))

/** `where`: the address and key that the server sent. `limits`: bounds of its host. */
export async function startServer(contender, { answerBytes = 1, limits = {} } = {}) {
  const env = { ...process.env, HOST_LIMITS: JSON.stringify(limits) }
  const child = fork(SERVER, [contender, String(answerBytes)], { execArgv: [], env })
  const [where] = await once(child, 'message')
  return {
    where,
    /** CPU used so far in µs, memory, and peak memory. */
    async usage() {
      const answer = once(child, 'message')
      child.send('usage')
      return (await answer)[0]
    },
    async stop() {
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
}
