//! The network libraries of Python, Perl, Node and Java; and netcat.

use crate::place::{Place, User};

/// Runs a client as both users; gives what it printed.
#[track_caller]
fn carried(client: &[&str], targets: &[&str]) -> String {
    let mut page = String::new();
    for user in [User::Root, User::Nobody] {
        let mut place = Place::new();
        let mut command = place.uwt(user, client);
        let ran = place.run(&mut command);
        ran.asked_for(targets).clone_into(&mut page);
        // However many connections: one process, one credential, one circuit.
        assert_eq!((ran.users().len(), ran.circuits().len()), (1, 1), "{ran:#?}");
    }
    page
}

#[test]
fn python_urllib() {
    let code = "import urllib.request as web; print(web.urlopen('http://www.lab.test/').read())";
    assert!(carried(&["python3", "-c", code], &["www.lab.test:80"]).contains("Python-urllib"));
}

#[test]
fn python_asyncio_with_several_connections() {
    let code = "
import asyncio
async def fetch(host, size):
    reader, writer = await asyncio.open_connection(host, 80)
    writer.write(f'GET /big/{size} HTTP/1.0\\r\\n\\r\\n'.encode())
    await writer.drain()
    head, _, body = (await reader.read()).partition(b'\\r\\n\\r\\n')
    writer.close()
    await writer.wait_closed()
    return len(body)
async def main():
    hosts = ['www.lab.test', '203.0.113.1', '2001:db8::1', 'v4only.lab.test'] * 3
    sizes = [10_000 + index for index in range(len(hosts))]
    print(sizes == await asyncio.gather(*map(fetch, hosts, sizes)))
asyncio.run(main())
";
    let mut place = Place::new();
    let ran = place.root(&["python3", "-c", code]);
    assert_eq!((ran.status, ran.out.as_str(), ran.err.as_str()), (Some(0), "True\n", ""), "{ran:#?}");
    let mut targets = ran.targets();
    targets.sort_unstable();
    let hosts = ["203.0.113.1:80", "[2001:db8::1]:80", "v4only.lab.test:80", "www.lab.test:80"];
    assert_eq!(targets, hosts.map(|host| [host; 3]).as_flattened());
    assert_eq!((ran.users().len(), ran.circuits().len()), (1, 1), "{ran:#?}");
}

#[test]
fn perl_io_socket() {
    let code = "my $s = IO::Socket::INET->new('www.lab.test:80') or die $@;
                print $s \"GET / HTTP/1.0\\r\\n\\r\\n\"; print <$s>";
    assert!(carried(&["perl", "-MIO::Socket::INET", "-e", code], &["www.lab.test:80"]).contains("200 OK"));
    let code = "print HTTP::Tiny->new->get('http://www.lab.test/')->{content}";
    assert!(carried(&["perl", "-MHTTP::Tiny", "-e", code], &["www.lab.test:80"]).contains("HTTP-Tiny"));
}

#[test]
fn node_http() {
    let code = "require('http').get('http://www.lab.test/', reply => reply.pipe(process.stdout))";
    assert!(carried(&["node", "-e", code], &["www.lab.test:80"]).contains("\"path\":\"/\""));
}

#[test]
fn node_lookup_gives_a_reserved_address_or_the_real_one() {
    let code = "require('dns').lookup('www.lab.test', (error, address) => console.log(address))";
    let mut place = Place::new();
    let reserved = place.root(&["node", "-e", code]);
    let address: std::net::Ipv4Addr = reserved.asked_for(&[]).trim().parse().expect("an address");
    // 127.192.0.0/10: the name goes to Tor with the connection.
    assert_eq!((address.octets()[0], address.octets()[1] & 0xc0), (127, 192), "{address}");
    let real = place.root(&["--dns", "resolve", "node", "-e", code]);
    assert_eq!((real.status, real.out.trim()), (Some(0), "203.0.113.1"), "{real:#?}");
    assert!(!real.flows.is_empty() && real.targets().iter().all(|name| *name == "www.lab.test:0"), "{real:#?}");
}

#[test]
fn netcat() {
    let mut place = Place::new();
    for host in ["www.lab.test", "203.0.113.1"] {
        let ask = format!("printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc {host} 80");
        let ran = place.root(&["sh", "-c", &ask]);
        assert!(ran.asked_for(&[&format!("{host}:80")]).contains("200 OK"), "{ran:#?}");
    }
    let ran = place.root(&["nc", "-z", "www.lab.test", "80"]);
    assert_eq!((ran.status, ran.targets()), (Some(0), vec!["www.lab.test:80"]), "{ran:#?}");
}
