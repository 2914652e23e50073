import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface ProxyServer {
  readonly address: string;
  /** `host:port` of each tunnel that was asked for. */
  readonly targets: string[];
}

/** An HTTP proxy that opens tunnels to hosts of this machine, and to those whose names it is given; others get a 502. */
export async function startProxy(hosts: Readonly<Record<string, string>>): Promise<ProxyServer> {
  const targets: string[] = [];
  const open = new Set<Socket>();
  const server = createServer();
  server.on('connect', (request, socket: Socket) => {
    targets.push(request.url!);
    const [name = '', port] = request.url!.split(':');
    const host = name === '127.0.0.1' ? name : hosts[name];
    open.add(socket);
    socket.on('error', () => {});
    if (host === undefined) {
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
      return;
    }
    const target = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.pipe(socket).pipe(target);
    });
    target.on('error', () => socket.destroy());
    open.add(target);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of open) socket.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, targets };
}
