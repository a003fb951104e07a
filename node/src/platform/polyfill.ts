/** Adds the globals that libp2p 3 needs and Node 20 lacks. Every entry imports this file before libp2p. */
import { polyfillPromise, polyfillWebSocket } from '@geotrace/core-wasm'
import { WebSocket } from 'ws'

polyfillPromise()
polyfillWebSocket(WebSocket)
