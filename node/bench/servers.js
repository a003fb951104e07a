/** Contenders as processes of their own, so that what they cost is theirs: see salt-server.js. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const SERVER = fileURLToPath(new URL('salt-server.js', import.meta.url))

/** `where` is what the server says of itself; `limits` are of its host. */
export async function startServer(contender, { answerBytes = 1, limits = {} } = {}) {
  const env = { ...process.env, HOST_LIMITS: JSON.stringify(limits) }
  const child = fork(SERVER, [contender, String(answerBytes)], { execArgv: [], env })
  const [where] = await once(child, 'message')
  return {
    where,
    /** CPU so far, in µs, memory, and the most memory there was. */
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
