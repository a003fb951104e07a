/** Simulated machines: network namespaces on two bridges with one cable between them. Needs root on Linux. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'

export interface Network {
  /** The address of the i-th machine. The first half of the machines is on one side of the cable. */
  address(i: number): string
  /** Runs a Node program on the i-th machine, with an IPC channel. */
  run(i: number, program: string): Promise<ChildProcess>
  /** Pulls the cable out or puts it back. Packets vanish without an error. */
  cut(): void
  heal(): void
  remove(): void
}

const ip = (...args: string[]): boolean => spawnSync('ip', args, { stdio: 'ignore' }).status === 0

/** Builds the network; undefined where this machine does not allow it. */
export function network(hosts: number, prefix: string): Network | undefined {
  const [left, right, cable] = [`${prefix}l`, `${prefix}r`, `${prefix}c`]
  const core = `${prefix}core`
  const names = Array.from({ length: hosts }, (_, i) => `${prefix}${i}`)
  const address = (i: number): string => `10.77.0.${i + 1}`
  const inCore = (...args: string[]): boolean => ip('-n', core, ...args)
  const remove = (): void => {
    for (const name of [core, ...names]) ip('netns', 'del', name)
  }
  const isMade =
    ip('netns', 'add', core) &&
    [left, right].every(
      (bridge) => inCore('link', 'add', bridge, 'type', 'bridge') && inCore('link', 'set', bridge, 'up'),
    ) &&
    inCore('link', 'add', cable, 'type', 'veth', 'peer', 'name', `${cable}2`) &&
    inCore('link', 'set', cable, 'master', left) &&
    inCore('link', 'set', `${cable}2`, 'master', right) &&
    inCore('link', 'set', cable, 'up') &&
    inCore('link', 'set', `${cable}2`, 'up') &&
    names.every(
      (name, i) =>
        ip('netns', 'add', name) &&
        ip('-n', name, 'link', 'set', 'lo', 'up') &&
        ip('-n', name, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', `p${i}`, 'netns', core) &&
        ip('-n', name, 'addr', 'add', `${address(i)}/24`, 'dev', 'eth0') &&
        ip('-n', name, 'link', 'set', 'eth0', 'up') &&
        inCore('link', 'set', `p${i}`, 'master', i < hosts / 2 ? left : right) &&
        inCore('link', 'set', `p${i}`, 'up'),
    )
  if (!isMade) {
    remove()
    return undefined
  }
  return {
    address,
    async run(i, program) {
      const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const
      const child = spawn('ip', ['netns', 'exec', names[i]!, process.execPath, program], { stdio: [...stdio] })
      await once(child, 'message')
      return child
    },
    cut: () => void inCore('link', 'set', cable, 'down'),
    heal: () => void inCore('link', 'set', cable, 'up'),
    remove,
  }
}
