package spigot.testbed.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Programs that know nothing of Spigot, each run on the source and through the mount: the output must be the same. */
@DisplayName("Unmodified programs read through the mount what they read locally:")
class ProgramsTest {
    private static final long MIB = 1 << 20;

    @TempDir
    static Path directory;

    private static Path source;
    private static TestGrid grid;
    private static TestGrid.Mount mount;

    @BeforeAll
    static void publishData() throws Exception {
        source = Files.createDirectory(directory.resolve("source"));
        makeTree();
        makeDatabase();
        makeAlignment();
        makeNetcdf();
        makeRepository();
        grid = new TestGrid(directory);
        grid.found("a", "--publish", source + "=/data:ro");
        mount = grid.mount("m");
    }

    @AfterAll
    static void end() {
        if (grid != null) {
            grid.close();
        }
    }

    private static void makeTree() {
        Command.shell("cd " + source + "; mkdir -p tree/a/b tree/c; seq 1 200000 > tree/a/numbers;"
                        + " head -c 3000000 /dev/urandom > tree/a/b/random; ln -s ../numbers tree/a/b/link;"
                        + " for i in $(seq 1 300); do echo \"needle $i\" > tree/c/file$i; done; : > tree/empty")
                .run()
                .orFail();
    }

    /** 5.3 million rows of 100 bytes and an index: more than 512 MB. */
    private static void makeDatabase() {
        if (Command.exists("sqlite3")) {
            Command.of(
                            "sqlite3",
                            source.resolve("big.db").toString(),
                            "pragma journal_mode=off; pragma synchronous=off;"
                                    + "create table t(id integer primary key, k integer, v text);"
                                    + "insert into t select value, value*2654435761 % 1000003, printf('%090d', value)"
                                    + " from generate_series(1, 5300000);"
                                    + "create index i on t(k);")
                    .within(Duration.ofSeconds(300))
                    .run()
                    .orFail();
        }
    }

    /** A sorted, indexed BAM of random reads on two chromosomes. */
    private static void makeAlignment() {
        if (Command.exists("samtools")) {
            Command.shell("cd " + source + "; awk 'BEGIN{srand(7); print \"@HD\\tVN:1.6\\tSO:unsorted\";"
                            + "print \"@SQ\\tSN:chr1\\tLN:5000000\"; print \"@SQ\\tSN:chr2\\tLN:5000000\";"
                            + "for(i=0;i<300000;i++){s=\"\";for(j=0;j<50;j++)s=s substr(\"ACGT\",int(rand()*4)+1,1);"
                            + "printf \"r%d\\t0\\tchr%d\\t%d\\t60\\t50M\\t*\\t0\\t0\\t%s\\t*\\n\","
                            + "i,1+int(rand()*2),1+int(rand()*4900000),s}}' | samtools sort -o reads.bam -;"
                            + " samtools index reads.bam")
                    .run()
                    .orFail();
        }
    }

    private static void makeNetcdf() {
        if (Command.exists("ncgen")) {
            Command.shell("cd " + source + "; { echo 'netcdf t { dimensions: x=50000; variables: double v(x);"
                            + " v:units=\"K\"; data: v='; seq -s, 1 50000; echo '; }'; } > t.cdl; ncgen -o t.nc t.cdl")
                    .run()
                    .orFail();
        }
    }

    private static void makeRepository() {
        Command.shell("cd " + source + "; git init -q repo; cd repo; for i in $(seq 1 200); do mkdir -p d$((i%10));"
                        + " seq $i $((i+500)) > d$((i%10))/f$i; done; git add -A;"
                        + " git -c user.name=t -c user.email=t@t commit -qm one; git gc -q")
                .run()
                .orFail();
    }

    /** Runs the script with $D set to the source, then to the mount. */
    private static void assertSame(String script) {
        String local =
                Command.shell("D=" + source + "; " + script).run().orFail().output();
        String mounted = Command.shell("D=" + mount.path("data") + "; " + script)
                .run()
                .orFail()
                .output();
        assertThat(mounted).isEqualTo(local).isNotBlank();
    }

    private static void assumeInstalled(String program) {
        assumeTrue(Command.exists(program), program + " is not installed");
    }

    @Test
    void sqlite3OnALargeDatabase() throws Exception {
        assumeInstalled("sqlite3");
        assertThat(Files.size(source.resolve("big.db"))).isGreaterThan(512_000_000);
        long before = mount.stat("data_bytes_received");
        assertSame("sqlite3 \"file:$D/big.db?mode=ro\" 'select count(*), sum(length(v)), min(id), max(k) from t"
                + " where id between 2000000 and 2053000; select id, v from t where k = 77 order by id'");
        long moved = mount.stat("data_bytes_received") - before;
        assertThat(moved).as("bytes moved for a query of 1 %").isLessThan(40 * MIB);
    }

    @Test
    void samtoolsOnARegionOfAnIndexedBam() {
        assumeInstalled("samtools");
        assertSame("samtools view $D/reads.bam chr2:1000000-1010000; samtools view -c $D/reads.bam");
    }

    @Test
    void ncdumpOnANetcdfFile() {
        assumeInstalled("ncdump");
        assertSame("ncdump $D/t.nc | tail -n +2 | md5sum; ncdump -h $D/t.nc");
    }

    @Test
    void gitCloneOfARepositoryOnTheMount() {
        assertSame(
                "T=$(mktemp -d); git -c safe.directory='*' clone -q file://$D/repo $T/c; cd $T/c; git log --format=%H;"
                        + " find . -path ./.git -prune -o -type f -print | sort | xargs sha256sum; cd /; rm -rf $T");
    }

    @Test
    void tar() {
        assertSame("cd $D; tar cf - --sort=name tree | sha256sum");
    }

    @Test
    void grepRecursively() {
        assertSame("cd $D; grep -r 'needle 2' tree | sort");
    }

    @Test
    void sha256sumAndCmp() {
        assertSame("cd $D; find . -type f -size -4M | sort | xargs sha256sum");
        Command.of(
                        "cmp",
                        source.resolve("big.db").toString(),
                        mount.path("data/big.db").toString())
                .run()
                .orFail();
    }

    @Test
    void aStaticBusyboxThatIsExecutedFromTheMount() throws Exception {
        Path busybox = Path.of("/bin/busybox");
        assumeTrue(Files.isExecutable(busybox), "busybox-static is not installed");
        Path tools = Files.createDirectory(directory.resolve("tools"));
        Files.copy(busybox, tools.resolve("busybox"), java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
        grid.command(
                        "publish",
                        tools.toString(),
                        "/tools",
                        "--data",
                        directory.resolve("server-a").toString())
                .run()
                .orFail();
        String shown = Command.shell(mount.path("tools/busybox") + " sh -c '" + mount.path("tools/busybox") + " ls "
                        + mount.path("data/tree") + "; echo $((6*7))'")
                .run()
                .orFail()
                .output();
        assertThat(shown.lines()).containsExactly("a", "c", "empty", "42");
    }

    @Test
    void mmapAndDirectReads() {
        assumeInstalled("python3");
        assertSame("python3 -c \"import mmap,hashlib,os; f=os.open('$D/tree/a/b/random',os.O_RDONLY);"
                + "m=mmap.mmap(f,0,prot=mmap.PROT_READ); print(hashlib.sha256(m).hexdigest());"
                + "p=mmap.mmap(f,0,flags=mmap.MAP_PRIVATE,prot=mmap.PROT_READ|mmap.PROT_WRITE); p[5:9]=b'XXXX';"
                + "print(hashlib.sha256(p).hexdigest())\"; dd if=$D/tree/a/b/random iflag=direct bs=4096 skip=3 count=5"
                + " status=none | sha256sum");
    }
}
