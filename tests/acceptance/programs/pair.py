# SPDX-License-Identifier: MIT
"""pair serve: answers on port 80. pair call NAME...: prints each server's answer and address."""

import asyncio
import sys


async def answer(reader, writer):
    said = (await reader.readline()).decode().strip()
    writer.write(f"python {said} {writer.get_extra_info('peername')[0]}\n".encode())
    await writer.drain()
    writer.close()


async def main():
    if sys.argv[1] == "call":
        for name in sys.argv[2:]:
            reader, writer = await asyncio.open_connection(name, 80)
            writer.write(b"hello\n")
            said = (await reader.readline()).decode().strip()
            print(said, writer.get_extra_info("peername")[0])
            writer.close()
        return
    server = await asyncio.start_server(answer, "0.0.0.0", 80)
    print("up", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
