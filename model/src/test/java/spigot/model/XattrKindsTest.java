package spigot.model;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("The kinds of a file's extended attributes")
class XattrKindsTest {
    private static final RawBytes COLOUR = RawBytes.ofUtf8("user.colour");
    private static final RawBytes ACCESS = RawBytes.ofUtf8("system.posix_acl_access");
    private static final RawBytes DEFAULT = RawBytes.ofUtf8("system.posix_acl_default");
    private static final RawBytes CAPABILITY = RawBytes.ofUtf8("security.capability");
    private static final RawBytes TRUSTED = RawBytes.ofUtf8("trusted.overlay.opaque");

    @Test
    void tellThatAFileWithAttributesOfProgramsHasNoListsAndCapabilities() {
        XattrKinds kinds = of("user.a", "user.b");
        assertThat(kinds.mayHave(COLOUR)).isTrue();
        assertThat(kinds.mayHave(ACCESS)).isFalse();
        assertThat(kinds.mayHave(DEFAULT)).isFalse();
        assertThat(kinds.mayHave(CAPABILITY)).isFalse();
        assertThat(kinds.names()).isEmpty();
    }

    @Test
    void tellTheNamesThatNoProgramChose() {
        XattrKinds kinds = of("security.capability", "system.posix_acl_access");
        assertThat(kinds.mayHave(ACCESS)).isTrue();
        assertThat(kinds.mayHave(DEFAULT)).isFalse();
        assertThat(kinds.mayHave(COLOUR)).isFalse();
        assertThat(kinds.names().orElseThrow()).containsExactlyInAnyOrder(ACCESS, CAPABILITY);
        assertThat(XattrKinds.NONE.names().orElseThrow()).isEmpty();
    }

    @Test
    void leaveOutWhatIsNotPublished() {
        assertThat(of("security.selinux", "trusted.overlay.opaque", "userland", "users.x"))
                .isEqualTo(XattrKinds.NONE);
        assertThat(XattrKinds.isPublished(TRUSTED)).isFalse();
        assertThat(XattrKinds.isPublished(COLOUR)).isTrue();
    }

    @Test
    void mayBeAnyOfThosePublishedWhenTheyAreNotKnown() {
        assertThat(XattrKinds.NOT_KNOWN_WHICH.mayHave(ACCESS)).isTrue();
        assertThat(XattrKinds.NOT_KNOWN_WHICH.mayHave(COLOUR)).isTrue();
        assertThat(XattrKinds.NOT_KNOWN_WHICH.mayHave(TRUSTED)).isFalse();
        assertThat(XattrKinds.NOT_KNOWN_WHICH.names()).isEmpty();
        assertThat(XattrKinds.NOT_KNOWN_WHICH.isEmpty()).isFalse();
    }

    @Test
    void ofALaterReleaseAreNotKnown() {
        assertThat(new XattrKinds(32 | 2)).isEqualTo(XattrKinds.NOT_KNOWN_WHICH);
        assertThat(new XattrKinds(-1)).isEqualTo(XattrKinds.NOT_KNOWN_WHICH);
        XattrKinds kinds = of("user.a", "system.posix_acl_default");
        assertThat(new XattrKinds(kinds.bits())).isEqualTo(kinds);
    }

    private static XattrKinds of(String... names) {
        return XattrKinds.of(
                Stream.of(names).map(name -> name.getBytes(US_ASCII)).toList());
    }
}
