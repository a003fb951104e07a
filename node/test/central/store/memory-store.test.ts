import { memoryDisk, memoryStore } from '../../../src/central/store/memory-store.ts'
import { centralStoreConformance } from './conformance.ts'

centralStoreConformance('memory', async () => {
  const disk = memoryDisk()
  return { open: async () => memoryStore(disk), remove: async () => {} }
})
