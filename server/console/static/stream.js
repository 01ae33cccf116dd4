/** What the server tells a page that is open. */

/// <reference lib="dom" />

/**
 * Listen as long as it is wanted. Browsers come back by themselves to a stream that breaks off, not to one that
 * was refused.
 * @param {string} url
 * @param {Record<string, (told: any) => void>} hear what is done at each event, by its name
 * @param {(isUp: boolean) => void} [onState]
 */
export function openStream (url, hear, onState = () => {}) {
  /** @type {EventSource | null} */
  let source = null

  function open () {
    const opened = new EventSource(url, { withCredentials: true })
    for (const [name, listener] of Object.entries(hear)) {
      opened.addEventListener(name, event => listener(JSON.parse(event.data)))
    }
    opened.addEventListener('open', () => onState(true))
    opened.addEventListener('error', () => {
      onState(false)
      if (opened.readyState === EventSource.CLOSED && opened === source) source = null
    })
    source = opened
  }

  return {
    isUp: () => source?.readyState === EventSource.OPEN,
    /** @param {boolean} isWanted */
    setWanted (isWanted) {
      if (isWanted && !source) open()
      if (!isWanted) {
        source?.close()
        source = null
      }
    }
  }
}
