/**
 * The central store on a simulated disk: the memory store, whose every change takes the time of a write and is durable
 * before it is acknowledged. A peer killed in between leaves what had reached the disk. CONTRIBUTING "Simulation".
 */
import type { CentralStore } from '../../central/store/central-store.ts'
import { type MemoryDisk, memoryStore } from '../../central/store/memory-store.ts'
import type { SimulatedDisk } from './disk.ts'
import type { Life } from './machine.ts'

export function simulatedStore(memory: MemoryDisk, disk: SimulatedDisk, life: Life): CentralStore {
  const store = memoryStore(memory)
  life.onEnd(() => {
    // The kernel lets go of a dead process's lock.
    memory.opened = false
  })
  return {
    ...store,
    addUser: (id, generation) => disk.write(life, () => store.addUser(id, generation)),
    eraseUser: (id) => disk.write(life, () => store.eraseUser(id)),
    deposit: (deposit) => disk.write(life, () => store.deposit(deposit)),
    putMarks: (changes) => disk.write(life, () => store.putMarks(changes)),
    nextReport: () => disk.write(life, () => store.nextReport()),
    putReport: (report) => disk.write(life, () => store.putReport(report)),
    putCodes: (codes) => disk.write(life, () => store.putCodes(codes)),
    putPin: (pin) => disk.write(life, () => store.putPin(pin)),
    dropBefore: (day) => disk.write(life, () => store.dropBefore(day)),
  }
}
