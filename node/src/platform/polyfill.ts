/** Adds the global that libp2p 3 needs and Node 20 lacks. Every entry imports this file before libp2p. */
import { polyfillPromise } from '@geotrace/core-wasm'

polyfillPromise()
