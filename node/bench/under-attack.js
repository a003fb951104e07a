/**
 * Measures honest sessions before, during and after an attack on one salt node. Each party is a process of its own.
 * `npm run test:faults` asserts the results, `npm run bench -- salt` prints them.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { SALT_PROTOCOL } from '@geotrace/core-wasm/wire'
import { ATTACK_BLOCK, loopback, percentile, saltQuestion, session } from './salt-client.js'
import { startServer } from './servers.js'

const ATTACKERS = fileURLToPath(new URL('attackers.js', import.meta.url))
/** Block of the addresses of honest clients. Each address connects once, as a phone does. */
const HONEST_BLOCK = 101

/**
 * Runs `sessions` one after the other in each of the three phases. Returns the share answered during the attack and the
 * peak memory. p50 and p99 are session times with and without the attack, ms. With `behind` the honest clients use the
 * addresses of the attackers in turn, as phones behind one router do.
 */
export async function underAttack({
  kind,
  attackers,
  sessions,
  behind = false,
  contender = 'salt',
  progress = () => {},
}) {
  const server = await startServer(contender, { answerBytes: 4_000 })
  try {
    const question = contender === 'salt' ? await saltQuestion(server.where.manifest) : stockQuestion(server.where)
    let client = 0
    const phase = async (name) => {
      const results = []
      for (let i = 0; i < sessions; i++) {
        if (i % 20 === 0) progress(`salt: ${kind}: ${name}: session ${i} of ${sessions} …`)
        const address = behind ? loopback(ATTACK_BLOCK, client++ % attackers) : loopback(HONEST_BLOCK, client++)
        results.push(await session(question, address))
      }
      return results
    }
    const before = await phase('before')
    const attack = fork(ATTACKERS, [kind, question.peer.addresses[0], String(attackers)], { execArgv: [] })
    await once(attack, 'message')
    const during = await phase('during')
    const over = once(attack, 'message')
    attack.send('stop')
    const [did] = await over
    const after = await phase('after')
    const quiet = [...before, ...after].map(({ ms }) => ms)
    const busy = during.map(({ ms }) => ms)
    const { rssMostBytes } = await server.usage()
    return {
      answered: share(during),
      answeredBefore: share(before),
      refusals: [...new Set(during.map(({ status }) => status).filter((status) => status !== 0))],
      p50: { quiet: percentile(quiet, 0.5), busy: percentile(busy, 0.5) },
      p99: { quiet: percentile(quiet, 0.99), busy: percentile(busy, 0.99) },
      rssMostBytes,
      did,
    }
  } finally {
    await server.stop()
  }
}

function share(results) {
  return results.filter(({ status }) => status === 0).length / results.length
}

function stockQuestion({ key, addresses }) {
  return { peer: { key: Uint8Array.from(key), addresses }, protocol: SALT_PROTOCOL, request: new Uint8Array(180) }
}
