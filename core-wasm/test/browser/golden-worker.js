import { digestOf } from './golden-case.js'

addEventListener('message', async ({ data: wanted }) => {
  postMessage(await digestOf(wanted).catch(String))
})
