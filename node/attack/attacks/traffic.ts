/**
 * A10: a salt node tells people who move from people who stay by their requests. The best threshold on the bytes that a
 * device sent to salt nodes in one sync decides.
 */
import { EVALUATE_PROTOCOL, SALT_PROTOCOL } from '@geotrace/core-wasm/wire'
import type { Attack, Figure } from '../lab/attack.ts'
import type { Lab } from '../lab/lab.ts'

const ASKED: readonly string[] = [SALT_PROTOCOL.id, EVALUATE_PROTOCOL.id]

export const traffic: Attack = {
  name: 'A10',
  title: 'A salt node tells from the requests whether a person moved',
  attacker: 'the sizes of all requests that a device sends to salt nodes in one sync',
  meaning: 'The share of the people whom the best threshold on these sizes sorts right; 50 % is chance.',
  limit:
    'Under `plain` a request lists time blocks, so a node sees in which minutes a device recorded outside its home. Under `threshold` it sees the epochs and one bit, the batch class. One class for all hides the bit and costs bytes: see `evaluations` of the manifest.',
  isQuick: true,
  run: (lab) => Promise.resolve(classify(lab)),
}

function classify({ residents }: Lab): Figure {
  const devices = residents.map(({ seen, isMoving }) => {
    const asked = seen.filter(({ protocol }) => ASKED.includes(protocol))
    return { isMoving, bytes: asked.reduce((sum, { frame }) => sum + frame.length, 0) }
  })
  const right = (bound: number): number => {
    const hits = devices.filter(({ isMoving, bytes }) => bytes > bound === isMoving).length
    return Math.max(hits, devices.length - hits)
  }
  const value = (100 * Math.max(...devices.map(({ bytes }) => right(bytes)))) / devices.length
  const moving = devices.filter(({ isMoving }) => isMoving).length
  const sizes = new Set(devices.map(({ bytes }) => bytes)).size
  return {
    value,
    unit: '% of the people sorted right',
    more: { devices: devices.length, 'who moved': moving, 'distinct sizes': sizes },
  }
}
